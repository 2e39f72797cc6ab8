-- Room for the counters of a network in its set.

-- Returns true if a set has room for the counters of a network up to a bound. One field is 'at'.
local function has_room(key, subject, bound)
  return call('HLEN', key) - 1 + #subject.quotas <= bound
end

-- Returns true if a network lacks a counter.
local function lacks_any(subject, stored)
  for place = 2, #subject.fields do
    if not stored[place] then
      return true
    end
  end
  return false
end

-- Reads counters of another name in place of those that a network lacks.
local function replace_lacking(key, subject, stored, name)
  for place = 2, #subject.fields do
    if not stored[place] then
      subject.fields[place] = string.gsub(subject.fields[place], '^[^:]*', name)
    end
  end
  return call('HMGET', key, unpack(subject.fields))
end

-- Finds room in a set for the counters that a network does not have yet. If the set is full of active counters, the
-- network counts together with those of its site. If the set is full of counters of sites as well, the network counts
-- together with all others that find no room.
function with_room(key, subject, stored)
  if not lacks_any(subject, stored) or has_room(key, subject, most) then
    return stored
  end
  local may_search = math.abs(us - subject.searched_us) >= SEARCH_US
  if taking ~= 'nothing' and subject.next_us <= us and may_search then
    subject.searched_us, subject.next_us = us, drop_idle(key, us)
    if has_room(key, subject, most) then
      return stored
    end
  end
  is_together = true
  stored = replace_lacking(key, subject, stored, 'others of ' .. site)
  if not lacks_any(subject, stored) or has_room(key, subject, most_shared) then
    return stored
  end
  return replace_lacking(key, subject, stored, 'others')
end

