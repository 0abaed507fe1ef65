"""The numbered migrations, in the order of their names; every statement can be run twice."""
