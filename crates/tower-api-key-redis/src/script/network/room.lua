-- Room for the counters of a network in its set.

-- The shortest time between two searches of a set of networks for counters that are over.
local SEARCH_US = 1000000

-- Returns true if a set has room for the counters of a network up to a bound. One field is 'at'.
local function has_room(key, bound)
  return call('HLEN', key) - 1 + count <= bound
end

-- Returns true if a network lacks a counter.
local function lacks_any(stored)
  for index = 2, count + 1 do
    if not stored[index] then
      return true
    end
  end
  return false
end

-- Reads counters of another name in place of those that a network lacks.
local function replace_lacking(key, stored, name)
  for index = before + 1, before + count do
    if not stored[index - before + 1] then
      args[index] = string.gsub(args[index], '^[^:]*', name)
    end
  end
  return call('HMGET', key, 'at', unpack(args, before + 1, before + count))
end

-- Finds room in a set for the counters that a network does not have yet. If the set is full of active counters, the
-- network counts together with those of its site. If the set is full of counters of sites as well, the network counts
-- together with all others that find no room.
function with_room(key, stored)
  if not lacks_any(stored) or has_room(key, most) then
    return stored
  end
  local may_search = math.abs(us - searched_us) >= SEARCH_US
  if taking ~= NOTHING and next_us <= us and may_search then
    searched_us, next_us = us, drop_idle(key, us)
    if has_room(key, most) then
      return stored
    end
  end
  is_together = true
  stored = replace_lacking(key, stored, 'others of ' .. site)
  if not lacks_any(stored) or has_room(key, most_shared) then
    return stored
  end
  return replace_lacking(key, stored, 'others')
end

