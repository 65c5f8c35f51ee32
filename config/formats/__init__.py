"""How Django writes values for people; it reads no setting where a language has its own."""
