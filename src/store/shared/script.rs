//! What Redis does by itself, as a whole: lists that hold each item once, and leases that end.
//!
//! A script replaces whatever it finds under a key that is none of ours, so that nothing put there can stop it.

use redis::Cmd;

use super::key;
use crate::store::{Holder, Item, Listing, Place};

/// Puts each item first in its list, of `most` at most, and keeps the lists for `keep` milliseconds.
pub(super) fn add(listings: &[Listing], most: usize, keep: u64) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(ADD).arg(listings.len());
    for listing in listings {
        command.arg(key(&listing.place));
    }
    command.arg(size_of::<Item>()).arg(SAYS).arg(most).arg(keep);
    for listing in listings {
        command.arg(&listing.item.0);
    }
    command
}

/// Takes the lease for `length` milliseconds if nobody has it; 1 if `holder` has it then.
pub(super) fn lease(place: &Place, holder: &Holder, length: u64) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(LEASE).arg(1).arg(key(place)).arg(holder).arg(length);
    command
}

/// Ends the lease if `holder` has it.
pub(super) fn release(place: &Place, holder: &Holder) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(RELEASE).arg(1).arg(key(place)).arg(holder);
    command
}

/// Bytes of an item that say which one it is.
const SAYS: usize = 33;

/// An item that is first already, seal and all, only stays longer.
const ADD: &str = "\
local size, says, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
for i, key in ipairs(KEYS) do
  local item = ARGV[4 + i]
  local held = redis.pcall('GETRANGE', key, 0, size * most - 1)
  if type(held) ~= 'string' then held = '' end
  if string.sub(held, 1, size) == item then
    redis.call('PEXPIRE', key, ARGV[4])
  else
    local list, said = {item}, string.sub(item, 1, says)
    for at = 1, #held - size + 1, size do
      if #list < most and string.sub(held, at, at + says - 1) ~= said then
        list[#list + 1] = string.sub(held, at, at + size - 1)
      end
    end
    redis.call('SET', key, table.concat(list), 'PX', ARGV[4])
  end
end
return 1";

/// No lease outlasts the length for which somebody wants it, whoever made it and however.
const LEASE: &str = "\
local held = redis.pcall('GETRANGE', KEYS[1], 0, #ARGV[1])
if held == '' or type(held) ~= 'string' then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1
end
local left = redis.call('PTTL', KEYS[1])
if left < 0 or left > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if held == ARGV[1] then return 1 end
return 0";

const RELEASE: &str = "\
if redis.pcall('GETRANGE', KEYS[1], 0, #ARGV[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1";
