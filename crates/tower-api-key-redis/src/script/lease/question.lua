-- The question of a lease.

demand, want, left, shortest_us, back, until_us, place = read('<dddddd', numbers, place)

