"""Pictures that the product shows: icons as SVG, drawn for it."""
