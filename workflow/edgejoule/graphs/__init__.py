"""Networks to kernels: the zoo, its export, and the kernels that a runtime executes."""
