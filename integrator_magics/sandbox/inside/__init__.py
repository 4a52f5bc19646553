"""The program inside a sandbox. Standard library only; it never imports the rest of the product."""
