"""What agents do, told to the stores of others: as metrics, and as an ordered story of steps."""
