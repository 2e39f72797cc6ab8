-- The question of a lease.

demand, want, left = args[3] + 0, args[4] + 0, args[5] + 0
shortest_us, back, until_us = args[6] + 0, args[7] + 0, args[8] + 0
read = 8

