"""The user's questions, answered from tables: who sends, what changed, what a policy would break."""
