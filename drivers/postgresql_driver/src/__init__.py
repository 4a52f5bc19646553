"""Private; reached through main."""
