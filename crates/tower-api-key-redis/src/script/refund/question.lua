-- The question of a refund: it gives the cost back from the windows that were open at an instant, and takes nothing.

refund, cost, taken_us, taken_ns = cost, 0, args[read + 1] + 0, args[read + 2] + 0
read = read + 2

