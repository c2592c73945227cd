-- A window that begins with its first request, as Mixer's redisquota had it.
--
-- KEYS: the window, and what is remembered of the request's id.
-- ARGV: the limit; how long the window is, and the time now, in milliseconds; how much is wanted; 1 for the best effort; 1 if the request has an id.
-- Says how much is granted, for how many milliseconds, how much is left, and in how many milliseconds it begins anew.
local limit, window, now, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local best_effort, has_id = ARGV[5] == '1', ARGV[6] == '1'

local found = redis.call('HMGET', KEYS[1], 'used', 'ends')
local used, ends = tonumber(found[1]) or 0, tonumber(found[2]) or 0

if has_id then
    local remembered = redis.call('HMGET', KEYS[2], 'granted', 'ends')
    local until_then = tonumber(remembered[2])
    if until_then and now < until_then then
        return { tonumber(remembered[1]), until_then - now, math.max(0, limit - used), math.max(0, ends - now) }
    end
end

if now >= ends then
    used, ends = 0, now + window
end

local granted = want
if used + want > limit then
    granted = best_effort and math.max(0, limit - used) or 0
end
if granted == 0 then
    return { 0, 0, math.max(0, limit - used), ends - now }
end

redis.call('HSET', KEYS[1], 'used', used + granted, 'ends', ends)
redis.call('PEXPIRE', KEYS[1], ends - now)
if has_id then
    redis.call('HSET', KEYS[2], 'granted', granted, 'ends', ends)
    redis.call('PEXPIRE', KEYS[2], ends - now)
end
return { granted, ends - now, limit - used - granted, ends - now }
