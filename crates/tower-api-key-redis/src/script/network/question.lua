-- The question of a network. The name of its site stands before the fields.

most, most_shared, place = read('<HH', numbers, place)
local site = args[before + 1]
before = before + 1

