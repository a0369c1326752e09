"""Tables: reading the files that hold them, the types of their columns, and SQL over them."""
