"""The audit as a panel: a file is chosen, what was understood is shown, and then why each contact is what it is."""
