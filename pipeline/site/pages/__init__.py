"""The pages of one package in one language: what each shows, as plain values for its template."""
