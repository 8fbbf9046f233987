"use strict";

/* Numbers and elements. */
const NONE = "–";

/** Write a number with three significant digits and no exponent. */
function number(value) {
  if (value === null || value === undefined) return NONE;
  const rounded = Number(value.toPrecision(3));
  return rounded.toLocaleString("en-US", { maximumSignificantDigits: 3 }).replaceAll(",", "\u202f");
}

/** Write a number with a fixed count of decimals. */
function fixed(value, decimals) {
  return value === null || value === undefined ? NONE : value.toFixed(decimals);
}

/** Count things: one device, two devices. */
function many(count, thing) {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

/** Make an element: attributes, then children (text or elements). */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Turn columns into rows. */
function rowsOf(columns) {
  const names = Object.keys(columns);
  return columns[names[0]].map((_, i) => Object.fromEntries(names.map((name) => [name, columns[name][i]])));
}

/** Read a colour of the page's theme. */
function themeColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
