"""Reading: what arrived → steps of agents and changes of the infrastructure."""
