-- Refunds of a fixed window.

-- Returns true if the open window had begun at an instant.
function fixed.had_begun(quota, us, ns)
  local open_us, open_ns = since(quota.ends_us, quota.ends_ns, us, ns)
  return not is_above(open_us, open_ns, quota.length_us, quota.length_ns)
end

-- Closes a window in which no request is left to count. A count at the largest number may have forgotten some.
function fixed.refund(quota, cost, us, ns)
  local is_open = is_above(quota.ends_us, quota.ends_ns, us, ns)
  if is_open and quota.used < MOST and quota.kind.had_begun(quota, us, ns) then
    quota.used = max(quota.used - cost, 0)
    if quota.used == 0 then
      quota.ends_us, quota.ends_ns = 0, 0
      quota.reset_us, quota.reset_ns = quota.length_us, quota.length_ns
    end
  end
end

