-- The question of a network.

most, most_shared, site = args[read + 1] + 0, args[read + 2] + 0, args[read + 3]
read = read + 3

