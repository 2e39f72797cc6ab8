-- The questions of a call.

-- An error of the only question is that of the call.
if read('<B', args[1]) + 1 == #args then
  return ask(0, 0)
end

-- An error of one question does not touch the others. Its answer is empty, and the limiter asks it again by itself. The
-- numbers of an answer are bytes of one string, which the limiter reads faster than numbers of the protocol.
local answers, size, keys_before, before, counted, form = {}, 0, 0, 0, 0, ''
while before < #args do
  local count, first = read('<BB', args[before + 1])
  if count ~= counted then
    counted, form = count, '<BdHI4ddH' .. string.rep('BI4dHBdH', count)
  end
  local passed = pcall(ask, keys_before, before)
  size = size + 1
  answers[size] = passed and write(form, unpack(answer, 1, 7 + 7 * count)) or ''
  keys_before, before = keys_before + (first < count and 2 or 1), before + 1 + count
end
return answers
