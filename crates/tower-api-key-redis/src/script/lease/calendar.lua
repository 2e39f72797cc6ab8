-- Leases of a calendar window.

day.spare, month.spare = fixed.spare, fixed.spare
day.lasts_us, month.lasts_us = fixed.lasts_us, fixed.lasts_us
day.give_back, month.give_back = fixed.give_back, fixed.give_back

