-- Leases of a leaky bucket.

function bucket.spare(quota)
  local us, ns = since(quota.brim_us, quota.brim_ns, quota.level_us, quota.level_ns)
  local spare = floor((us * 1000 + ns) / (quota.interval_us * 1000 + quota.interval_ns))
  -- The division may have rounded up.
  while spare > 0 and not fits_bucket(quota, spare) do
    spare = spare - 1
  end
  return spare
end

function bucket.lasts_us(quota)
  return quota.lease_us
end

-- Gives nothing back: an unknown part of the tokens has drained meanwhile.
function bucket.give_back() end

