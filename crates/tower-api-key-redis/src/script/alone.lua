-- The only question of a call.

return ask(0, 0)
