-- The question of a lease.

demand, want, left, shortest_us, back, until_us, place = read('<I4I4I4dI4d', numbers, place)

