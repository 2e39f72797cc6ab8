-- The question of a refund: it gives the cost back from the windows that were open at an instant, and takes nothing.

refund, cost = cost, 0
taken_us, taken_ns, place = read('<dH', numbers, place)

