"""One class a noun, one method a use case: authorise, open the transaction, call the rest."""
