"""What a person types: one module per noun, each parses, calls and renders, and decides nothing."""
