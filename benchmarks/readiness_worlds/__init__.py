"""How well forecasts of what a policy would refuse hold, in invented organisations with known truth."""
