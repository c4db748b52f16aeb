#!lua name=facteur
-- facteur: everything that decides, as functions inside Redis. Formats and the state table are in
-- README.md beside this file.
--
-- Redis runs a function alone but rolls nothing back. So each function first reads and judges all
-- it was given (refuse() ends it with nothing written), and then only does writes that cannot fail:
-- the types of their keys were seen, and what is added to is an integer with room above it.
--
-- Money never becomes a Lua number, which is a double: it comes as decimal digits and only
-- HINCRBY adds it. What is compared here (times, counts) stays far below 2^53.

local VERSION = '1.2.0'

local ENTRY_SIZE_MAX = 256 * 1024 -- bytes of one entry's fields; larger ones are not given out
local ENTRY_FIELDS_MAX = 128      -- likewise; a reply of 60,000 tiny ones fits no worker's memory
local VALUE_COST = 64             -- bytes each value takes there besides its own
local BULK_MAX = 64               -- members of one bulk entry: the bits of a mask
local UNPACK_MAX = 4000           -- values of one unpack(): Lua's stack ends at 8000
local GRANT_MEMBERS_MAX = 4096    -- as in calls.h
local GROUPS_MAX = 4096           -- of one settle
local CELLS_MAX = 800             -- added to in one settle: 800 amounts of 16 digits fit above
local AMOUNT_DIGITS_MAX = 16      -- of one amount
local LEDGER_DIGITS_MAX = 17      -- ... a cell of 17 digits, below HINCRBY's end at 2^63
local PAGE_MIN, PAGE_MAX = 8, 256  -- entries read at once: large ones are met in small pages
local RETURNED_LOOK = 32          -- returned ranges looked at in one claim
local RETURNED_TAKE = 8           -- ... and taken, of one source
local PARTS_MAX = 26              -- a claim's parts are named by letters
local RECOVER_MEMBERS_MAX = 8192  -- in one call: 0.4 s at most, and all slots of a worker
local EVENTS_REMOVED_MAX = 16     -- event entries removed in one append
local EVENT_OUTCOMES_MAX = 512    -- in one event entry that recover writes
local ID_SIZE_MAX = 256           -- of a producer's id, and of ref
local FIELDS_MAX = 64             -- of a notification: 32 parameters and all known names
local DEAD_MAX = 512              -- dead entries of one requeue or purge
local WHO_SIZE_MAX = 128          -- of an operator's name
local WHY_SIZE_MAX = 512          -- of an operator's reason
local AHEAD_MAX = 1000            -- entries counted before the one that somebody asks about
local RATE_MS = 10 * 1000          -- of the rate that stats tells
local BELL_MAX = 1024            -- entries of the bell: what was not heard by then is looked for
local TOKEN_SIZE_MAX = 64         -- of a token's fingerprint
local FLOOR_SHARE = 8             -- of a claim: an eighth for queue, and as much for later
local FULL_SHARE = 0.85           -- of maxmemory: above it facteur_enqueue takes nothing more
local MEMORY_LOOK_MS = 1000       -- how often Redis is asked how much it has used
local DECLARE_GRANTS_MAX = 512    -- of one declare, as in calls.h
local DECLARE_MEMBERS_MAX = 4096  -- of all their records: 0.2 s at most
local DECLARE_WAIT_MS = 10000     -- how long others wait for a worker that has not declared
local LOOK_GAP_MAX_MS = 1000      -- what one gap between two calls adds to that, at most
local RECEIPTS_MAX = 512          -- of one call, as in calls.h; all may charge one ledger cell
local OVERDUE_MAX = 4096          -- members of one call: 0.2 s at most
local HISTORY_MAX = 16            -- attempts that a waiting record remembers
local STAMP_MAX = '18446744073709551615'

-- Two streams may give the same id in the same millisecond, so a member's name begins with this.
local PREFIX = {queue = '', urgent = 'u', replies = 'r'}

-- How many arguments each action of settle has.
local ACTIONS = {accept = 0, drop = 0, free = 0, dead = 4, later = 4, uncertain = 3}

local BITS_OF_DIGIT = {['0'] = 0, ['1'] = 1, ['2'] = 1, ['3'] = 2, ['4'] = 1, ['5'] = 2, ['6'] = 2,
  ['7'] = 3, ['8'] = 1, ['9'] = 2, a = 2, b = 3, c = 2, d = 3, e = 3, f = 4}

---- refusing ------------------------------------------------------------------------------------

-- Ends the call. Only before the first write.
local function refuse(...)
  error({err = 'FACTEUR ' .. string.format(...)})
end

local function need(condition, ...)
  if not condition then
    refuse(...)
  end
end

-- A whole number of at most 15 digits, which a double holds exactly.
local function number_of(text, what)
  if not text or #text > 15 or not text:find('^%d+$') then
    refuse('%s must be a whole number, not "%s"', what, tostring(text))
  end
  return tonumber(text)
end

---- registration --------------------------------------------------------------------------------

-- What empties Redis, or keeps a worker's name alive meanwhile, must run when memory is full too:
-- only enqueue is refused then. (Redis' pcall() gives an error as its text, and returned so it has
-- no line numbers behind it: a refusal is for its reader.)
local function register(name, callback, flag)
  local function answer(keys, args)
    local good, reply = pcall(callback, keys, args)
    return good and reply or {err = reply}
  end
  redis.register_function({function_name = 'facteur_' .. name, callback = answer,
    flags = flag and {flag} or {}})
end

-- The sections that nobody needs but Redis stand in `do … end`: a Lua function has room for 200
-- local names, and the file is one.

---- keys ----------------------------------------------------------------------------------------

local TYPES = {queue = 'stream', urgent = 'stream', replies = 'stream', dead = 'stream',
  events = 'stream', event_index = 'list', returned = 'list', cursor = 'hash', claims = 'hash',
  left = 'hash', grants = 'hash', later_entries = 'hash', later_held = 'hash',
  uncertain_entries = 'hash', workers = 'hash', later = 'zset', uncertain = 'zset', state = 'hash',
  dead_log = 'stream', optout = 'set', exposed = 'hash', proven = 'hash', dead_members = 'hash',
  bell = 'stream', dead_parked = 'hash'}

-- All keys of an account, from KEYS: the account and the business.
local function account_keys(keys)
  local a, b = keys[1], keys[2]
  need(#keys == 2 and a:sub(1, #b + 1) == b .. ':', 'two keys are needed: account and business')
  return {business = b, id = a .. ':id:', queue = a .. ':queue', urgent = a .. ':urgent',
    replies = a .. ':replies', cursor = a .. ':cursor', claims = a .. ':claims',
    returned = a .. ':returned', left = a .. ':left', grants = a .. ':grants',
    later = a .. ':later',
    later_entries = a .. ':later:entries', later_held = a .. ':later:held',
    uncertain = a .. ':uncertain',
    uncertain_entries = a .. ':uncertain:entries', dead = a .. ':dead', events = a .. ':events',
    event_index = a .. ':events:index', workers = b .. ':workers', state = a .. ':state',
    dead_log = a .. ':dead:log', optout = b .. ':optout', exposed = a .. ':exposed',
    proven = a .. ':proven', dead_members = a .. ':dead:members', bell = b .. ':bell',
    dead_parked = a .. ':dead:parked', account = a:sub(#b + 2)}
end

-- An entry of dead has gone: its member is found there no more.
local function forget_dead(k, member)
  redis.call('HDEL', k.dead_members, member)
  redis.call('HDEL', k.dead_parked, member)
end

local function need_type(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    refuse('key %s holds a %s and not a %s', key, found, kind)
  end
end

local function need_types(k, ...)
  for _, name in ipairs({...}) do
    need_type(k[name], TYPES[name])
  end
end

-- Until when Meta has had too much of an account, as a worker wrote it down; 0: not at all.
local function throttled_until(k)
  return tonumber(redis.call('HGET', k.state, 'throttled_until') or '0') or 0
end

-- Wakes the workers that sleep: they are blocked on the streams, and what happened is seen in none.
-- Not being heard is no failure: they look all the same, only later.
local function ring(k, why)
  redis.pcall('XADD', k.bell, 'MAXLEN', BELL_MAX, '*', 'account', k.account, 'why', why)
end

-- A member waits for its receipt until then. The first one of an account is told to who looks after
-- them: the others are not due before it.
local function await_receipt(k, member, until_ms)
  redis.call('ZADD', k.uncertain, until_ms, member)
  if redis.call('ZCARD', k.uncertain) == 1 then
    ring(k, 'uncertain')
  end
end

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

---- arguments -----------------------------------------------------------------------------------

-- A reader of ARGV from the left.
local function reader_of(args)
  return {args = args, at = 1}
end

local function take(reader, what)
  local value = reader.args[reader.at]
  need(value, 'the call ends where %s should stand', what)
  reader.at = reader.at + 1
  return value
end

local function take_number(reader, what)
  return number_of(take(reader, what), what)
end

-- A count and its arguments, `width` each. They stay in ARGV, from .first to .last.
local function take_slice(reader, what, width)
  local count = take_number(reader, 'the number of ' .. what)
  local first = reader.at
  reader.at = first + count * (width or 1)
  need(reader.at <= #reader.args + 1, 'the call ends before its %d %s', count, what)
  return {args = reader.args, count = count, first = first, last = reader.at - 1}
end

-- Outcomes: a count and as many arguments; or `=COUNT` and one argument with as many lines, which
-- costs Redis a fifth.
local function take_outcomes(reader)
  local joined = (reader.args[reader.at] or ''):match('^=(%d+)$')
  if not joined then
    return take_slice(reader, 'outcomes')
  end
  reader.at = reader.at + 1
  take(reader, 'the outcomes')
  return {args = reader.args, count = number_of(joined, 'the number of outcomes'),
    first = reader.at - 1, last = reader.at - 1}
end

local function take_end(reader)
  need(reader.at == #reader.args + 1, 'the call has %d arguments too many',
    #reader.args + 1 - reader.at)
end

local function take_holder(reader)
  local holder = take(reader, 'the holder')
  need(#holder == 16 and holder:find('^%x+$'), 'a holder is 16 hex digits, not "%s"', holder)
  return holder
end

-- The name of a claim or grant: its holder's, a dot, a number (and a claim's part has a letter).
local function need_own_name(name, holder, what)
  if #name > 40 or name:sub(1, 17) ~= holder .. '.' or not name:find('^%d+%l?$', 18) then
    refuse('"%s" is no %s of %s', name, what, holder)
  end
end

local function take_own_name(reader, holder, what)
  local name = take(reader, 'the ' .. what)
  need_own_name(name, holder, what)
  return name
end

-- Calls `command key value…` for a slice of values, as many at a time as Lua can hand over.
local function call_sliced(command, key, values, first, last)
  local done = 0
  for i = first, last, UNPACK_MAX do
    done = done + redis.call(command, key, unpack(values, i, math.min(last, i + UNPACK_MAX - 1)))
  end
  return done
end

---- names ---------------------------------------------------------------------------------------

-- Half of a stream id: 64 bits, so at most 20 digits.
local function is_stamp(digits)
  return #digits < 20 or (#digits == 20 and digits <= STAMP_MAX)
end

-- The stream id inside an ENTRY of `source`, or nil.
local function id_of_entry(entry, source)
  local id = entry
  if source == 'urgent' or source == 'replies' then
    id = entry:sub(1, 1) == PREFIX[source] and entry:sub(2)
  end
  if not id or not id:find('^%d+%-%d+$') then
    return nil
  end
  if #id > 20 then
    local ms, sequence = id:match('^(%d+)%-(%d+)$')
    if not (is_stamp(ms) and is_stamp(sequence)) then
      return nil
    end
  end
  return id
end

-- ENTRY and n of a member `ENTRY/n`; n is nil for a single.
local function split_member(member)
  local entry, n = member:match('^(.-)/(%d+)$')
  return entry or member, tonumber(n)
end

local function is_member(name)
  return #name <= 48
    and (name:find('^[ur]?%d+%-%d+$') or name:find('^[ur]?%d+%-%d+/%d%d?$')) ~= nil
end

-- The stream whose entries have such names.
local function source_of(entry)
  local first = entry:sub(1, 1)
  return first == 'u' and 'urgent' or first == 'r' and 'replies' or 'queue'
end

-- Decimal digits compared as numbers, however long.
local function is_less(a, b)
  if #a ~= #b then
    return #a < #b
  end
  return a < b
end

-- Stream ids compared as Redis does.
local function is_earlier(a, b)
  local a_ms, a_sequence = a:match('^(%d+)%-(%d+)$')
  local b_ms, b_sequence = b:match('^(%d+)%-(%d+)$')
  if a_ms ~= b_ms then
    return is_less(a_ms, b_ms)
  end
  return is_less(a_sequence, b_sequence)
end

---- masks and bitmaps ---------------------------------------------------------------------------

-- A mask of a bulk entry, 16 hex digits, as two words of 32 bits; nil if it is none.
local function mask_of(hex)
  if #hex ~= 16 or not hex:find('^%x+$') then
    return nil
  end
  return {high = tonumber(hex:sub(1, 8), 16), low = tonumber(hex:sub(9), 16)}
end

-- The mask in which the first `count` members stand.
local function mask_full(count)
  local function word(bits)
    return bits >= 32 and 0xffffffff or 2 ^ math.max(bits, 0) - 1
  end
  return {high = word(count - 32), low = word(count)}
end

local function mask_single(n)
  return {high = n > 32 and 2 ^ (n - 33) or 0, low = n <= 32 and 2 ^ (n - 1) or 0}
end

local function mask_hex(mask)
  return bit.tohex(mask.high) .. bit.tohex(mask.low)
end

local function masks_meet(a, b)
  return bit.band(a.high, b.high) ~= 0 or bit.band(a.low, b.low) ~= 0
end

local function mask_join(a, b)
  return {high = bit.bor(a.high, b.high), low = bit.bor(a.low, b.low)}
end

local function mask_covers(a, b)
  return bit.band(a.high, b.high) == bit.tobit(b.high)
    and bit.band(a.low, b.low) == bit.tobit(b.low)
end

local function count_bits(hex)
  local count = 0
  for i = 1, #hex do
    count = count + BITS_OF_DIGIT[hex:sub(i, i)]
  end
  return count
end

-- The numbers (from 1) of a mask's members.
local function mask_members(mask)
  local members = {}
  for n = 1, BULK_MAX do
    if masks_meet(mask, mask_single(n)) then
      members[#members + 1] = n
    end
  end
  return members
end

-- A grant's bitmap as words of 32 bits, for `count` members. Digits that are missing are zero.
local function words_of(hex, count)
  local words = {}
  for i = 1, math.ceil(count / 32) do
    local digits = hex:sub(i * 8 - 7, i * 8)
    words[i] = tonumber(digits .. ('0'):rep(8 - #digits), 16)
  end
  return words
end

-- The bitmap in which all of `count` members stand: the first digit's lowest bit is member 0.
local function bitmap_full(count)
  local rest = count % 4
  return ('f'):rep(math.floor(count / 4)) .. (rest > 0 and ('%x'):format(2 ^ rest - 1) or '')
end

local function words_hex(words, count)
  local digits = {}
  for i, word in ipairs(words) do
    digits[i] = bit.tohex(word)
  end
  return table.concat(digits):sub(1, math.ceil(count / 4))
end

-- What both hold, as hex, or nil if they share nothing.
local function words_shared(a, b, count)
  local shared, some = {}, false
  for i = 1, #a do
    shared[i] = bit.band(a[i], b[i])
    some = some or shared[i] ~= 0
  end
  return some and words_hex(shared, count) or nil
end

local function words_join(a, b)
  for i = 1, #a do
    a[i] = bit.bor(a[i], b[i])
  end
end

local function bitmap_has(hex, index)
  local digit = tonumber(hex:sub(math.floor(index / 4) + 1, math.floor(index / 4) + 1), 16) or 0
  return bit.band(digit, 2 ^ (index % 4)) ~= 0
end

-- Where a member's bit is in a bitmap's words.
local function word_of(index)
  local digit = math.floor(index / 4)
  return math.floor(digit / 8) + 1, bit.lshift(1, (7 - digit % 8) * 4 + index % 4)
end

local function words_have(words, index)
  local i, mask = word_of(index)
  return bit.band(words[i], mask) ~= 0
end

local function words_set(words, index)
  local i, mask = word_of(index)
  words[i] = bit.bor(words[i], mask)
end

local function words_clear(words, index)
  local i, mask = word_of(index)
  words[i] = bit.band(words[i], bit.bnot(mask))
end

local function lowest_bit(hex)
  local zeros = #hex:match('^0*')
  local digit = tonumber(hex:sub(zeros + 1, zeros + 1), 16)
  for i = 0, 3 do
    if bit.band(digit, 2 ^ i) ~= 0 then
      return zeros * 4 + i
    end
  end
end

---- records -------------------------------------------------------------------------------------

-- HOLDER, SOURCE, FIRST, LAST, AT of a claim.
local function read_claim(name, record)
  local holder, source, first, last = record:match('^(%x+)\t(%l+)\t([^\t]+)\t([^\t]+)\t%d+$')
  need(holder and (source == 'later' or PREFIX[source]), 'a claim cannot be read: "%s"', record)
  return {name = name, holder = holder, source = source, first = first, last = last}
end

-- The claim of this name, or nil.
local function find_claim(k, name)
  local record = redis.call('HGET', k.claims, name)
  return record and read_claim(name, record) or nil
end

-- The members of `later` that a claim still holds. Its list alone does not say so: a member that
-- went back to later may be another claim's by now.
local function held_members(k, claim)
  local found = {}
  for member in claim.first:gmatch('[^ ]+') do
    if redis.call('HGET', k.later_held, member) == claim.name then
      found[#found + 1] = member
    end
  end
  return found
end

-- A grant's head. Its cells and members are read where they are needed.
local function read_grant_head(record)
  local holder, source, count, body = record:match('^(%x+)\t%d+\t(%l+)\t(%d+)\n()')
  need(holder, 'a grant cannot be read: "%s"', record:sub(1, 80))
  return {holder = holder, source = source, count = tonumber(count), body = body, record = record}
end

-- The cells of a grant, from 0: its lines c\tDAY\tCELL\tCURRENCY\tMILLIONTHS, which come first.
local function grant_cells(grant)
  if grant.cells then
    return grant.cells
  end
  local cells, at, number = {}, grant.body, 0
  while true do
    local day, cell, currency, price, next =
      grant.record:match('^c\t([^\t]+)\t([^\t\n]+)\t(%u+)\t(%d+)\n()', at)
    if not day then
      break
    end
    cells[number] = {day = day, cell = cell, currency = currency, price = price}
    number, at = number + 1, next
  end
  grant.cells, grant.members_at = cells, at
  return cells
end

-- A member's line in a grant: its name, attempt, cell and id.
local function read_member_line(grant, line)
  local member, attempt, cell, id = line:match('^([^\t]+)\t(%d+)\t(%d+)\t(.*)$')
  cell = member and grant_cells(grant)[tonumber(cell)]
  need(cell, 'a grant cannot be read: "%s"', line)
  return member, attempt, cell, id
end

-- Calls take(index, member, attempt, cell, id) for each member of a grant, until it returns true.
local function each_member(grant, take_member)
  grant_cells(grant)
  local index = 0
  for line in grant.record:sub(grant.members_at):gmatch('[^\n]+') do
    if take_member(index, read_member_line(grant, line)) then
      return
    end
    index = index + 1
  end
end

-- One of a grant's members, as each_member() gives it. A whole grant may be asked for so, one by one.
local function member_at(grant, index)
  if not grant.lines then
    grant_cells(grant)
    grant.lines = {}
    for line in grant.record:sub(grant.members_at):gmatch('[^\n]+') do
      grant.lines[#grant.lines + 1] = line
    end
  end
  return read_member_line(grant, grant.lines[index + 1] or '')
end

-- A waiting record. `extra` is JSON members with a comma behind them, or empty.
local function waiting_record(attempt, at, reason, extra, fields)
  local texts = {}
  for i, text in ipairs(fields) do
    texts[i] = cjson.encode(text)
  end
  return ('{"attempt":%s,"at":%.0f,"reason":%s,%s"fields":['):format(attempt, at,
    cjson.encode(reason), extra) .. table.concat(texts, ',') .. ']}'
end

-- What an uncertain member's record says besides. The price is digits: never through a double.
local function uncertain_extra(grant, index, cell)
  return ('"grant":"%s","index":%d,"day":"%s","cell":%s,"currency":"%s","price":%s,'):format(
    grant.name, index, cell.day, cjson.encode(cell.cell), cell.currency, cell.price)
end

local function are_fields(fields)
  if type(fields) ~= 'table' or #fields == 0 or #fields % 2 == 1 then
    return false
  end
  for i = 1, #fields do
    if type(fields[i]) ~= 'string' then
      return false
    end
  end
  return true
end

-- A waiting record as a table: attempt, at, throttles, reason, history, fields, and what else it
-- says. What is not JSON any more has its text as its only field.
local function read_waiting(record)
  local good, waiting = pcall(cjson.decode, record)
  if not good or type(waiting) ~= 'table' or not are_fields(waiting.fields) then
    waiting = {fields = {'record', record}}
  end
  for name, without in pairs({attempt = 0, at = 0, throttles = 0, reason = '', history = {}}) do
    if type(waiting[name]) ~= type(without) then
      waiting[name] = without
    end
  end
  waiting.possible_duplicate = waiting.possible_duplicate == true
  return waiting
end

-- What is said twice in a row (a pause, a throttle) stands once.
local function add_history(lines, at, attempt, words)
  local said, last = ('%.0f %s'):format(attempt, words), lines[#lines]
  if not last or last:match('^%d+ (.*)$') ~= said then
    lines[#lines + 1] = ('%.0f %s'):format(at, said)
  end
  if #lines > HISTORY_MAX then
    table.remove(lines, 1)
  end
end

-- What a member's attempts came to until now, oldest first: `MS ATTEMPT WORDS` each.
local function history_of(waiting)
  local lines = {}
  for _, line in ipairs(waiting and waiting.history or {}) do
    lines[#lines + 1] = type(line) == 'string' and line or nil
  end
  if waiting and (waiting.attempt > 0 or waiting.throttles > 0) then
    add_history(lines, waiting.at, waiting.attempt, waiting.reason)
  end
  return lines
end

local function history_json(lines)
  local texts = {}
  for i, line in ipairs(lines) do
    texts[i] = cjson.encode(line)
  end
  return '[' .. table.concat(texts, ',') .. ']'
end

-- What a record says of the attempts before: more `extra`.
local function past_extra(is_duplicate, history)
  return (is_duplicate and '"possible_duplicate":true,' or '')
    .. (#history > 0 and '"history":' .. history_json(history) .. ',' or '')
end

---- originals: what a producer wrote ------------------------------------------------------------

-- A book of what one call has read and is about to change.
local function open_book(k)
  return {k = k, entries = {}, left = {}, totals = {}, grants = {}, gone = {}, days = {},
    cells = {}, members = {}, granted = {}, exposed = {}, proven = {}, outcomes = {}}
end

-- An entry's fields, or false if it is not there.
local function entry_fields(book, source, entry)
  local known = book.entries[entry]
  if known == nil then
    local id = id_of_entry(entry, source)
    local found = id and redis.call('XRANGE', book.k[source], id, id)[1]
    known = found and found[2] or false
    book.entries[entry] = known
  end
  return known
end

local function bulk_of(fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'bulk' then
      return fields[i + 1]
    end
  end
end

-- The lines of a bulk field. A newline at the end does not count.
local function bulk_lines(bulk)
  local lines = {}
  for line in (bulk:gsub('\n$', '') .. '\n'):gmatch('([^\n]*)\n') do
    lines[#lines + 1] = line
  end
  return lines
end

-- The fields of a member in a source, how many members its entry has, and its waiting record if it
-- came from later; nil if it is gone.
local function original_of(book, source, member)
  if source == 'later' then
    local record = redis.call('HGET', book.k.later_entries, member)
    local waiting = record and read_waiting(record)
    return waiting and waiting.fields or nil, nil, waiting
  end
  local entry, n = split_member(member)
  local fields = entry_fields(book, source, entry)
  if not fields then
    return nil
  end
  if not n then
    return fields
  end
  local bulk = bulk_of(fields)
  local lines = bulk and bulk_lines(bulk) or {}
  return lines[n] and {'member', lines[n]}, #lines
end

-- A field's text, also inside a bulk member's line; empty if there is none.
local function text_in(fields, name)
  if fields[1] == 'member' then
    local good, line = pcall(cjson.decode, fields[2])
    local value = good and type(line) == 'table' and line[name]
    return type(value) == 'string' and value or type(value) == 'number' and ('%.14g'):format(value)
      or ''
  end
  for i = 1, #fields, 2 do
    if fields[i] == name then
      return fields[i + 1]
    end
  end
  return ''
end

---- leaving a stream ----------------------------------------------------------------------------

-- The mask of the members that have left an entry, with what this call lets leave.
local function left_of(book, entry)
  if not book.left[entry] then
    local hex = redis.call('HGET', book.k.left, entry)
    book.left[entry] = hex and mask_of(hex) or {high = 0, low = 0}
  end
  return book.left[entry]
end

local function leave_bulk(book, source, entry, mask, total)
  book.left[entry] = mask_join(left_of(book, entry), mask)
  book.totals[entry] = {source = source, total = total}
end

-- Writes the masks that have changed; an entry that all members have left goes.
local function write_left(book)
  for entry, bulk in pairs(book.totals) do
    local mask = book.left[entry]
    if mask_covers(mask, mask_full(bulk.total)) then
      redis.call('XDEL', book.k[bulk.source], id_of_entry(entry, bulk.source))
      redis.call('HDEL', book.k.left, entry)
    else
      redis.call('HSET', book.k.left, entry, mask_hex(mask))
    end
  end
end

-- Deletes a slice of singles from their stream.
local function delete_singles(k, source, singles)
  if source ~= 'urgent' then
    return call_sliced('XDEL', k[source], singles.args, singles.first, singles.last)
  end
  local ids = {}
  for i = singles.first, singles.last do
    ids[#ids + 1] = id_of_entry(singles.args[i], source)
  end
  return call_sliced('XDEL', k[source], ids, 1, #ids)
end

---- events --------------------------------------------------------------------------------------

-- How many outcomes there ever were. The index is beside the stream because an event entry is
-- large, and must not be read to learn its number.
local function outcomes_ever(k)
  local last = redis.call('LINDEX', k.event_index, -1)
  if last then
    return tonumber(last:match('^%d+'))
  end
  local entry = redis.call('XREVRANGE', k.events, '+', '-', 'COUNT', 1)[1]
  return entry and tonumber(entry[2][4]) or 0
end

-- Removes the oldest event entries when the newest `keep` outcomes do without them.
local function trim_events(k, upto, keep)
  local first = redis.call('LINDEX', k.event_index, 0)
  if upto - tonumber(first:match('^%d+')) <= keep then
    return
  end
  local heads = redis.call('LRANGE', k.event_index, 0, EVENTS_REMOVED_MAX)
  local removed = 0
  while removed < #heads - 1 and upto - tonumber(heads[removed + 1]:match('^%d+')) > keep do
    removed = removed + 1
  end
  if removed > 0 then
    redis.call('LPOP', k.event_index, removed)
    redis.call('XTRIM', k.events, 'MINID', heads[removed + 1]:match(' (.*)$'))
  end
end

local function append_event(k, count, text, keep)
  local upto = outcomes_ever(k) + count
  local id = redis.call('XADD', k.events, '*', 'n', count, 'upto', upto, 'outcomes', text)
  redis.call('RPUSH', k.event_index, ('%.0f %s'):format(upto, id))
  trim_events(k, upto, keep)
end

-- Outcomes that the library tells itself.
local function append_outcomes(k, outcomes, keep)
  for i = 1, #outcomes, EVENT_OUTCOMES_MAX do
    local last = math.min(#outcomes, i + EVENT_OUTCOMES_MAX - 1)
    append_event(k, last - i + 1, table.concat(outcomes, '\n', i, last), keep)
  end
end

---- outcomes ------------------------------------------------------------------------------------

-- As a sender writes it, so that the same text finds it: "/" needs no escape.
local function json_text(text)
  return (cjson.encode(text):gsub('\\/', '/'))
end

-- The JSON of an outcome. `told`: member, cell (cell, currency, price), attempt, at, and what is
-- known of fields, id, to, wamid, reason, is_duplicate. The price is digits: never through a double.
local function outcome_json(kind, told)
  local parts = {}
  local function put(name, value)
    if value and value ~= '' then
      parts[#parts + 1] = (',"%s":%s'):format(name, json_text(value))
    end
  end
  local names = {}
  for name in (told.cell.cell .. '|'):gmatch('([^|]*)|') do
    names[#names + 1] = name
  end
  put('entry', told.member)
  put('id', told.id or text_in(told.fields or {}, 'id'))
  put('ref', text_in(told.fields or {}, 'ref'))
  put('to', told.to)
  put('country', names[2])
  put('template', names[5])
  put('market', names[3])
  put('category', names[4])
  local is_charged = kind == 'accepted' or kind == 'corrected' or kind == 'uncertain'
  parts[#parts + 1] = (',"price":%s,"currency":"%s","attempt":%s'):format(
    is_charged and told.cell.price or '0', told.cell.currency, told.attempt)
  put('wamid', told.wamid)
  put('reason', told.reason)
  return ('{"type":"%s"%s%s,"at":%.0f}'):format(kind,
    told.is_duplicate and ',"possible_duplicate":true' or '', table.concat(parts), told.at)
end

-- What was to be told as `accepted`, told as `kind` and flagged.
local function flagged(json, kind)
  return ('{"type":"%s","possible_duplicate":true'):format(kind)
    .. json:gsub('^{"type":"accepted"', '', 1):gsub('^,"possible_duplicate":true', '', 1)
end

---- attempts without an answer, and what was proven of them -------------------------------------

local function exposed_line(member, attempt, cell, now)
  return ('%s\t%s\t%s\t%s\t%s\t%s\t%.0f'):format(member, attempt, cell.day, cell.cell,
    cell.currency, cell.price, now)
end

-- The attempt that may be on the bill under this token (GRANT/INDEX), or false.
local function exposed_of(book, token)
  if book.exposed[token] == nil then
    local line = redis.call('HGET', book.k.exposed, token)
    if not line then
      book.exposed[token] = false
    else
      local member, attempt, day, cell, currency, price =
        line:match('^([^\t]+)\t(%d+)\t([^\t]+)\t([^\t]+)\t(%u%u%u)\t(%d+)\t%d+$')
      need(member, 'the exposed attempt %s cannot be read: "%s"', token, line)
      book.exposed[token] = {member = member, attempt = attempt,
        cell = {day = day, cell = cell, currency = currency, price = price}}
    end
  end
  return book.exposed[token]
end

-- What was proven of members: attempts that were accepted while the member is claimed or granted
-- again. Nothing is asked when there is none, which is nearly always.
local function read_proven(book, members)
  if book.has_proven == nil then
    book.has_proven = redis.call('EXISTS', book.k.proven) == 1
  end
  if not book.has_proven then
    return
  end
  for i = 1, #members, UNPACK_MAX do
    local lines = redis.call('HMGET', book.k.proven,
      unpack(members, i, math.min(#members, i + UNPACK_MAX - 1)))
    for j, line in ipairs(lines) do
      local member = members[i + j - 1]
      if line and book.proven[member] == nil then
        local tokens, json = line:match('^([^\n]+)\n(.+)$')
        need(tokens, 'what was proven of %s cannot be read: "%s"', member, line)
        book.proven[member] = {tokens = tokens, json = json}
      end
    end
  end
end

-- The proven outcome of a member that leaves, which is then told; or nil.
local function take_proven(book, member)
  local proven = book.proven[member]
  if not proven then
    return nil
  end
  redis.call('HDEL', book.k.proven, member)
  book.proven[member] = false
  return proven.json
end

---- version -------------------------------------------------------------------------------------
do

local function version()
  return VERSION
end

register('version', version, 'no-writes')

end

---- what this process was told ------------------------------------------------------------------
--
-- A Redis that was started anew or was a replica a moment ago may have forgotten the last claims,
-- grants and settles. So each worker tells it first what it has on the wire (facteur_declare), and
-- who has is known in this table, not in a key: it dies with the process, and with the library when
-- that is loaded again. It must not outlive a failover either: the replication id, which changes
-- with every promotion, is looked at in every call.

-- business → declared: holder → true; seen: milliseconds that calls have seen it for; waited: the
-- same, as far as that is for others to wait; last: when the last of these calls was; replication: the
-- id then; is_open: all of the living have declared; has_forgotten: a name, so perhaps others.
local told = {}

local function replication_id()
  local good, info = pcall(redis.call, 'INFO', 'replication')
  return good and type(info) == 'string' and info:match('master_replid:(%x+)') or ''
end

-- What was told of a business until now. One that had no workers when it was first seen waits for
-- nobody, until somebody declares whose name was forgotten. Time is counted in small steps from call to
-- call, so that no jump of the clock ends it.
local function told_of(business, workers)
  local replication, now = replication_id(), now_ms()
  local known = told[business]
  if not known or known.replication ~= replication then
    local is_new = redis.call('EXISTS', workers) == 0
    known = {declared = {}, seen = 0, waited = is_new and DECLARE_WAIT_MS or 0, last = now,
      replication = replication, is_open = is_new}
    told[business] = known
  end
  local step = math.max(0, math.min(now - known.last, LOOK_GAP_MAX_MS))
  known.seen, known.waited = known.seen + step, known.waited + step
  known.last = now
  return known
end

-- Why a holder may not go on: `declare` or `fenced`, or nil. One that is not among the workers may
-- have been forgotten as well, so for a while it is asked to declare, and is one again then.
local function judge_holder(k, holder)
  local is_worker = redis.call('HEXISTS', k.workers, holder) == 1
  local known = told_of(k.business, k.workers)
  if not known.declared[holder] and (is_worker or known.waited < DECLARE_WAIT_MS) then
    return 'declare'
  end
  return not is_worker and 'fenced' or nil
end

-- Must a claim or a grant wait for another worker to declare? Asked after judge_holder().
local function must_wait(k)
  local known = told[k.business]
  if known.waited >= DECLARE_WAIT_MS then
    return false
  elseif known.has_forgotten then
    return true
  elseif known.is_open then
    return false
  end
  for _, holder in ipairs(redis.call('HKEYS', k.workers)) do
    if not known.declared[holder] then
      return true
    end
  end
  known.is_open = true
  return false
end

---- workers -------------------------------------------------------------------------------------
do

-- The key of all workers, from KEYS whose last is the business.
local function workers_of(keys)
  need(#keys >= 1, 'the last key is the business')
  local workers = keys[#keys] .. ':workers'
  need_type(workers, 'hash')
  return workers
end

-- (B) holder, beat, new|renew: says that a worker lives, and answers all workers' beats. A new one
-- has nothing to declare.
local function beat(keys, args)
  local workers = workers_of(keys)
  local reader = reader_of(args)
  local holder = take_holder(reader)
  local number = take_number(reader, 'the beat')
  local how = take(reader, 'new or renew')
  take_end(reader)
  need(how == 'new' or how == 'renew', 'new or renew, not "%s"', how)
  if how == 'renew' and redis.call('HEXISTS', workers, holder) == 0 then
    return {'fenced'}
  end
  local known = told_of(keys[#keys], workers)
  known.declared[holder] = how == 'new' or known.declared[holder]
  redis.call('HSET', workers, holder, number)
  return {'ok', now_ms(), unpack(redis.call('HGETALL', workers))}
end

local function forget_holder(keys, holder)
  local known = told[keys[#keys]]
  if known then
    known.declared[holder] = nil
  end
end

-- (B) holder, beat: declares a worker dead if it still shows that beat. 1: it is gone now.
local function fence(keys, args)
  local workers = workers_of(keys)
  local reader = reader_of(args)
  local holder = take_holder(reader)
  local number = take_number(reader, 'the beat')
  take_end(reader)
  local shown = redis.call('HGET', workers, holder)
  if not shown or tonumber(shown) ~= number then
    return 0
  end
  forget_holder(keys, holder)
  return redis.call('HDEL', workers, holder)
end

-- True if a field of the hash (a claim, a grant) begins with the holder's name.
local function has_of(key, holder)
  for _, name in ipairs(redis.call('HKEYS', key)) do
    if name:sub(1, 17) == holder .. '.' then
      return true
    end
  end
  return false
end

-- (B) holder: it has told all it has, in all its accounts.
local function declared(keys, args)
  local workers = workers_of(keys)
  local reader = reader_of(args)
  local holder = take_holder(reader)
  take_end(reader)
  if redis.call('HEXISTS', workers, holder) == 0 then
    return {'fenced'}
  end
  told_of(keys[#keys], workers).declared[holder] = true
  return {'ok'}
end

-- (A… B) holder: takes a worker's name away, if nothing hangs on it. 1: it is gone. One that has
-- not declared may have what Redis does not know.
local function leave(keys, args)
  local workers = workers_of(keys)
  local reader = reader_of(args)
  local holder = take_holder(reader)
  take_end(reader)
  if not told_of(keys[#keys], workers).declared[holder]
      and redis.call('HEXISTS', workers, holder) == 1 then
    return {'declare'}
  end
  for i = 1, #keys - 1 do
    local k = account_keys({keys[i], keys[#keys]})
    need_types(k, 'claims', 'grants')
    if has_of(k.claims, holder) or has_of(k.grants, holder) then
      return 0
    end
  end
  forget_holder(keys, holder)
  redis.call('HDEL', workers, holder)
  return 1
end

register('beat', beat, 'allow-oom')
register('fence', fence, 'allow-oom')
register('declared', declared, 'allow-oom')
register('leave', leave, 'allow-oom')

end

---- pause and stop ------------------------------------------------------------------------------

-- Why this account must not send: `paused` by an operator, `stopped` by Meta's answer, or nil.
local function halt_of(k)
  local state = redis.call('HMGET', k.state, 'paused', 'stopped')
  return state[1] == '1' and 'paused' or state[2] == '1' and 'stopped' or nil
end

-- What an operator gives with each change: who, and why.
local function take_words(reader, what, size)
  local text = take(reader, what)
  need(text:find('%S') and #text <= size and not text:find('%c'),
    '%s: 1 to %d bytes without control characters', what, size)
  return text
end

local function write_started(k)
  redis.call('HSET', k.state, 'stopped', '0')
  redis.call('HDEL', k.state, 'stop_code', 'stop_reason', 'stop_at', 'stop_token')
end

-- (A B) pause|resume, who, reason: pauses an account, or lets it go on, also one that was stopped.
-- What was so before stays as it is, with who and why; the answer tells it.
local function pause(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local how = take(reader, 'pause or resume')
  local who = take_words(reader, 'who', WHO_SIZE_MAX)
  local reason = take_words(reader, 'the reason', WHY_SIZE_MAX)
  take_end(reader)
  need(how == 'pause' or how == 'resume', 'pause or resume, not "%s"', how)
  need_types(k, 'state', 'bell')
  local state = redis.call('HMGET', k.state, 'paused', 'stopped', 'who', 'reason', 'at', 'stop_code',
    'stop_reason', 'stop_at')
  local is_stopped = state[2] == '1'
  if (how == 'pause') == (state[1] == '1') and not (how == 'resume' and is_stopped) then
    return {'already', state[3] or '', state[4] or '', state[5] or '0'}
  end
  local now = ('%.0f'):format(now_ms())
  redis.call('HSET', k.state, 'paused', how == 'pause' and '1' or '0', 'who', who, 'reason', reason,
    'at', now)
  if how == 'resume' then
    ring(k, 'resumed')
  end
  if how == 'resume' and is_stopped then
    write_started(k)
    return {'ok', who, reason, now, state[6] or '', state[7] or '', state[8] or '0'}
  end
  return {'ok', who, reason, now}
end

-- (A B) code, reason, token, events_keep: Meta refuses this account, whatever is sent. Its queue is
-- kept, and nothing is claimed until an operator resumes it or another token comes. Told once.
local function stop(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local code = ('%.0f'):format(take_number(reader, 'the code'))
  local reason = take_words(reader, 'the reason', WHY_SIZE_MAX)
  local token = take_words(reader, 'the token', TOKEN_SIZE_MAX)
  local keep = take_number(reader, 'events_keep')
  take_end(reader)
  need_types(k, 'state', 'events', 'event_index')
  if redis.call('HGET', k.state, 'stopped') == '1' then
    return {'already'}
  end
  local now = ('%.0f'):format(now_ms())
  redis.call('HSET', k.state, 'stopped', '1', 'stop_code', code, 'stop_reason', reason, 'stop_at',
    now, 'stop_token', token)
  append_event(k, 1, ('{"type":"stopped","account":%s,"code":%s,"reason":%s,"at":%s}'):format(
    cjson.encode(keys[1]:sub(#keys[2] + 2)), code, cjson.encode(reason), now), keep)
  return {'ok'}
end

-- (A B) token: a worker sends under this token. What was stopped under another one starts.
local function token(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local name = take_words(reader, 'the token', TOKEN_SIZE_MAX)
  take_end(reader)
  need_types(k, 'state', 'bell')
  local state = redis.call('HMGET', k.state, 'stopped', 'stop_token', 'paused')
  if state[1] ~= '1' then
    return {'ok'}
  elseif state[2] == name then
    return {'stopped'}
  end
  write_started(k)
  if state[3] ~= '1' then
    redis.call('HSET', k.state, 'paused', '0', 'who', 'facteur', 'reason', 'it has another token',
      'at', ('%.0f'):format(now_ms()))
  end
  ring(k, 'started')
  return {'started'}
end

register('pause', pause, 'allow-oom')
register('stop', stop, 'allow-oom')
register('token', token, 'allow-oom')

---- claim ---------------------------------------------------------------------------------------
do

-- What an entry takes in a worker's memory, and how many members it counts for. No size: it has too
-- many bytes or fields to be given out.
local function weigh(fields)
  local size, members = 0, 1
  if #fields > 2 * ENTRY_FIELDS_MAX then
    return nil, members
  end
  for i = 1, #fields, 2 do
    size = size + #fields[i] + #fields[i + 1]
    if fields[i] == 'bulk' then
      members = BULK_MAX
    end
  end
  if size > ENTRY_SIZE_MAX then
    return nil, 1
  end
  return size + #fields * VALUE_COST, members
end

-- Takes an entry into the part if the budget allows. The first of all is always allowed: an entry
-- that is larger than any budget must not stop the queue.
local function add_entry(part, budget, entry)
  local id = entry[1]
  local size, members = weigh(entry[2])
  if not size then
    size, entry[2] = 0, false
  end
  if not budget.first and (members > budget.members or size > budget.bytes) then
    return false
  end
  budget.first = false
  budget.members, budget.bytes = budget.members - members, budget.bytes - size
  if part.source == 'urgent' then
    entry[1] = PREFIX.urgent .. id
  end
  part.entries[#part.entries + 1] = entry
  part.last, part.first = id, part.first or id
  if members > 1 then
    part.bulks[#part.bulks + 1] = entry[1]
  end
  return true
end

-- Reads from a stream's range what the budget allows. `part.whole` is set if that was all of it.
local function read_range(k, source, from, to, budget)
  local part = {source = source, entries = {}, bulks = {}, whole = false}
  local page = PAGE_MIN
  while budget.members > 0 and budget.bytes > 0 do
    local found = redis.call('XRANGE', k[source], from, to, 'COUNT', page)
    for i = 1, #found do
      if not add_entry(part, budget, found[i]) then
        return part
      end
    end
    if #found < page then
      part.whole = true
      return part
    end
    from = '(' .. part.last
    local weight = #part.bulks > 0 and BULK_MAX or 1
    page = math.max(1, math.min(math.ceil(budget.members / weight), PAGE_MAX))
  end
  return part
end

-- Returned ranges of a source. `changes` gets what becomes of each record: nothing, or a rest.
local function read_returned(k, source, budget, parts, changes)
  local taken = 0
  for _, record in ipairs(redis.call('LRANGE', k.returned, 0, RETURNED_LOOK - 1)) do
    local name, from, to = record:match('^(%l+)\t([^\t]+)\t([^\t]+)$')
    need(name, 'a returned claim cannot be read: "%s"', record)
    if name == source and taken < RETURNED_TAKE and budget.members > 0 and budget.bytes > 0 then
      local part = read_range(k, source, from, to, budget)
      if part.first then
        parts[#parts + 1], taken = part, taken + 1
      end
      if not part.whole then
        local after = part.last and '(' .. part.last or from
        local rest = redis.call('XRANGE', k[source], after, to, 'COUNT', 1)[1]
        part.rest = rest and ('%s\t%s\t%s'):format(source, rest[1], to)
      end
      if part.first or part.whole then
        changes[#changes + 1] = {record = record, rest = part.rest}
      end
    end
  end
end

-- Takes a range that the worker has read itself, if no other worker took from it meanwhile. Its
-- contents need not pass through here, which is most of a claim's cost.
local function take_ahead(k, source, budget, parts, ahead)
  local cursor = redis.call('HGET', k.cursor, source) or '0-0'
  if cursor ~= ahead.from or not (budget.first or ahead.members <= budget.members) then
    return
  end
  local first = redis.call('XRANGE', k[source], '(' .. cursor, ahead.last, 'COUNT', 1)[1]
  if first and redis.call('XRANGE', k[source], ahead.last, ahead.last)[1] then
    budget.first, budget.members = false, budget.members - ahead.members
    parts[#parts + 1] = {source = source, first = first[1], last = ahead.last, bulks = {},
      is_ahead = true, moves_cursor = true}
  end
end

-- New entries of a stream, behind its cursor.
local function read_stream(k, source, budget, parts, ahead)
  if budget.members <= 0 or budget.bytes <= 0 then
    return
  end
  if ahead then
    return take_ahead(k, source, budget, parts, ahead)
  end
  local cursor = redis.call('HGET', k.cursor, source)
  local part = read_range(k, source, cursor and '(' .. cursor or '-', '+', budget)
  if part.first then
    part.moves_cursor = true
    parts[#parts + 1] = part
  end
end

-- Members of `later` whose time has come. One whose record is gone is dropped from the zset.
local function read_later(k, now, budget, parts)
  local due = budget.members > 0 and budget.bytes > 0 and redis.call('ZRANGEBYSCORE', k.later,
    '-inf', ('%.0f'):format(now), 'LIMIT', 0, math.min(budget.members, UNPACK_MAX)) or {}
  if #due == 0 then
    return
  end
  local part = {source = 'later', entries = {}, bulks = {}, members = {}, stale = {}}
  for i, record in ipairs(redis.call('HMGET', k.later_entries, unpack(due))) do
    if not record then
      part.stale[#part.stale + 1] = due[i]
    elseif budget.first or #record <= budget.bytes then
      budget.first = false
      budget.members, budget.bytes = budget.members - 1, budget.bytes - #record
      part.entries[#part.entries + 1] = {due[i], record}
      part.members[#part.members + 1] = due[i]
    else
      break
    end
  end
  part.first, part.last = table.concat(part.members, ' '), '-'
  parts[#parts + 1] = part
end

-- The masks of those bulk entries of a part that some members have left: ENTRY, mask, …
local function masks_of(k, part)
  local masks = {}
  if #part.bulks > 0 and redis.call('EXISTS', k.left) == 1 then
    for _, entry in ipairs(part.bulks) do
      local mask = redis.call('HGET', k.left, entry)
      if mask then
        masks[#masks + 1], masks[#masks + 2] = entry, mask
      end
    end
  end
  return masks
end

local function part_name(claim, number)
  return number == 1 and claim or claim .. string.char(96 + number)
end

-- The parts of a claim that was made before and whose reply was lost: what is left of them.
local function read_again(k, holder, claim)
  local names, parts, is_known = {}, {}, false
  for i = 1, PARTS_MAX do
    names[i] = part_name(claim, i)
  end
  for i, record in ipairs(redis.call('HMGET', k.claims, unpack(names))) do
    if record then
      is_known = true
      local held = read_claim(names[i], record)
      local part = {name = names[i], source = held.source, entries = {}, bulks = {}}
      if held.source == 'later' then
        for _, member in ipairs(held_members(k, held)) do
          local waiting = redis.call('HGET', k.later_entries, member)
          if waiting then
            part.entries[#part.entries + 1] = {member, waiting}
          end
        end
      else
        local budget = {members = math.huge, bytes = math.huge}
        local read = read_range(k, held.source, held.first, held.last, budget)
        part.entries, part.bulks = read.entries, read.bulks
      end
      parts[#parts + 1] = part
    end
  end
  return is_known and parts or nil
end

-- What accounts have saved up for their queue and later: account → {queue, later}, in members. It
-- lives in this process only; when it is lost, they begin to save anew.
local savings = {}

-- The first that could be claimed from queue: what it weighs, or nil.
local function peek_queue(k)
  local first
  for _, record in ipairs(redis.call('LRANGE', k.returned, 0, RETURNED_LOOK - 1)) do
    local from, to = record:match('^queue\t([^\t]+)\t([^\t]+)$')
    first = first or from and redis.call('XRANGE', k.queue, from, to, 'COUNT', 1)[1]
  end
  if not first then
    local cursor = redis.call('HGET', k.cursor, 'queue')
    first = redis.call('XRANGE', k.queue, cursor and '(' .. cursor or '-', '+', 'COUNT', 1)[1]
  end
  if first then
    local size, members = weigh(first[2])
    return {members = members, bytes = size or 0}
  end
end

-- The same of later.
local function peek_later(k, now)
  local first = redis.call('ZRANGEBYSCORE', k.later, '-inf', ('%.0f'):format(now), 'LIMIT', 0, 1)[1]
  return first and {members = 1, bytes = redis.call('HSTRLEN', k.later_entries, first)}
end

-- What is kept of a claim for a source whose `first` waits: an eighth, saved up over claims until
-- that entry fits. Bytes count as the members they take the room of. Nothing is kept for a source
-- that has nothing.
local function keep_floor(saved, source, budget, first)
  if not first then
    saved[source] = 0
    return {members = 0, bytes = 0}
  end
  saved[source] = math.min(budget.members, saved[source] + budget.members / FLOOR_SHARE)
  local weight = math.max(first.members, first.bytes * budget.per_byte)
  if saved[source] < math.min(weight, budget.members) then
    return {members = 0, bytes = 0}
  end
  return {members = math.floor(saved[source]),
    bytes = math.max(first.bytes, math.floor(budget.bytes / FLOOR_SHARE))}
end

-- Reads with what is kept for others put aside. Then the first entry may not exceed the budget
-- either: its turn comes when nothing is put aside. What `source` took is no longer saved up.
local function read_beside(budget, kept, saved, source, read)
  local may_exceed, members, bytes = budget.first, budget.members, budget.bytes
  budget.first = may_exceed and kept.members == 0
  budget.members, budget.bytes = members - kept.members, bytes - kept.bytes
  read()
  budget.members, budget.bytes = budget.members + kept.members, budget.bytes + kept.bytes
  budget.first = may_exceed and budget.members == members
  if saved[source] then
    local taken = math.max(members - budget.members, (bytes - budget.bytes) * budget.per_byte)
    saved[source] = math.max(0, saved[source] - taken)
  end
end

-- Reads what can be claimed, in the order of urgency; but whatever is more urgent leaves something
-- for what is less. (Not for what the worker has read itself: that fits whole or not at all.)
local function read_all(k, now, budget, ahead)
  local parts, changes = {}, {}
  if budget.members <= 0 or budget.bytes <= 0 then
    return parts, changes
  end
  local saved = savings[k.queue] or {queue = 0, later = 0}
  savings[k.queue] = saved
  budget.per_byte = budget.members / budget.bytes
  local later = peek_later(k, now)
  local rivals = not ahead.queue and (later or redis.call('XLEN', k.urgent) > 0)
  local for_queue = keep_floor(saved, 'queue', budget, rivals and peek_queue(k))
  local for_later = keep_floor(saved, 'later', budget, later)
  read_beside(budget, {members = for_queue.members + for_later.members,
    bytes = for_queue.bytes + for_later.bytes}, saved, 'urgent', function()
    read_returned(k, 'urgent', budget, parts, changes)
    read_stream(k, 'urgent', budget, parts, ahead.urgent)
  end)
  read_beside(budget, for_queue, saved, 'later', function()
    read_later(k, now, budget, parts)
  end)
  read_beside(budget, {members = 0, bytes = 0}, saved, 'queue', function()
    read_returned(k, 'queue', budget, parts, changes)
    read_stream(k, 'queue', budget, parts, ahead.queue)
  end)
  return parts, changes
end

-- Writes down who holds what was read.
local function write_parts(k, holder, claim, now, parts, changes)
  for _, change in ipairs(changes) do
    if change.rest then
      redis.call('LINSERT', k.returned, 'BEFORE', change.record, change.rest)
    end
    redis.call('LREM', k.returned, 1, change.record)
  end
  for i, part in ipairs(parts) do
    part.name = part_name(claim, i)
    if part.source == 'later' then
      call_sliced('ZREM', k.later, part.stale, 1, #part.stale)
      call_sliced('ZREM', k.later, part.members, 1, #part.members)
      for _, member in ipairs(part.members) do
        redis.call('HSET', k.later_held, member, part.name)
      end
    end
    if part.moves_cursor then
      redis.call('HSET', k.cursor, part.source, part.last)
    end
    if part.is_ahead or #part.entries > 0 then
      redis.call('HSET', k.claims, part.name,
        ('%s\t%s\t%s\t%s\t%.0f'):format(holder, part.source, part.first, part.last, now))
    end
  end
end

-- What the worker has read itself: {source, cursor it read from, last id, members}.
local function take_aheads(reader)
  local aheads = {}
  while reader.at <= #reader.args do
    local source = take(reader, 'a source')
    need((source == 'queue' or source == 'urgent') and not aheads[source],
      'what was read ahead is of queue or urgent, once, not "%s"', source)
    local ahead = {from = take(reader, 'a cursor'), last = take(reader, 'the last id')}
    ahead.members = take_number(reader, 'the members read')
    need(id_of_entry(ahead.from, 'queue') and id_of_entry(ahead.last, 'queue')
      and is_earlier(ahead.from, ahead.last), '"%s" to "%s" is no range', ahead.from, ahead.last)
    aheads[source] = ahead
  end
  return aheads
end

-- (A B) holder, claim, members_max, bytes_max, read ahead…: gives a worker what it may work on.
local function claim(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local holder = take_holder(reader)
  local name = take_own_name(reader, holder, 'claim')
  local budget = {first = true, members = take_number(reader, 'members_max'),
    bytes = take_number(reader, 'bytes_max')}
  local aheads = take_aheads(reader)
  need(name:find('%d$'), '"%s" is no claim of %s', name, holder)
  need_types(k, 'workers', 'queue', 'urgent', 'later', 'later_entries', 'later_held', 'cursor',
    'claims', 'returned', 'left', 'state')
  local answer = judge_holder(k, holder)
  if answer then
    return {answer}
  end
  local now = now_ms()
  local parts = read_again(k, holder, name)
  local halt = not parts and (must_wait(k) and 'wait' or halt_of(k))
  if halt then
    return {halt}
  end
  if not parts then
    local changes
    parts, changes = read_all(k, now, budget, aheads)
    write_parts(k, holder, name, now, parts, changes)
  end
  local next_due = redis.call('ZRANGE', k.later, 0, 0, 'WITHSCORES')[2]
  local cursors = redis.call('HMGET', k.cursor, 'urgent', 'queue')
  local reply = {'ok', now, next_due and tonumber(next_due) or -1, cursors[1] or '0-0',
    cursors[2] or '0-0'}
  for _, part in ipairs(parts) do
    if part.is_ahead then
      reply[#reply + 1] = {part.name, part.source, false, {}}
    elseif #part.entries > 0 then
      reply[#reply + 1] = {part.name, part.source, part.entries, masks_of(k, part)}
    end
  end
  return reply
end

register('claim', claim, 'allow-oom')

end

---- grant ---------------------------------------------------------------------------------------
do

local function need_cells(cells)
  for i = cells.first, cells.last do
    local day, price = cells.args[i]:match('^(%d%d%d%d%-%d%d%-%d%d)\t[^\t\n]+\t%u%u%u\t(%d+)$')
    need(day and #price <= AMOUNT_DIGITS_MAX, 'cell %d cannot be read: "%s"', i - cells.first,
      cells.args[i])
  end
end

local function need_members(members, cell_count)
  for i = members.first, members.last do
    local line = members.args[i]
    local cell = line:match('^[ur]?%d+%-%d+/?%d*\t%d+\t(%d+)\t[^\n]*$')
    need(cell and tonumber(cell) < cell_count, 'member %d cannot be read: "%s"', i - members.first,
      line)
  end
end

local function name_at(members, number)
  return members.args[members.first + number]:match('^[^\t]+')
end

-- The ids of a grant: each with its member and whoever owns it now (false: nobody).
local function read_ids(k, reader, members)
  local slice = take_slice(reader, 'ids', 2)
  local ids, names = {}, {}
  for i = slice.first, slice.last, 2 do
    local number = number_of(slice.args[i], 'a member number')
    local id = slice.args[i + 1]
    need(number < members.count, 'there is no member %d', number)
    need(id ~= '' and #id <= ID_SIZE_MAX, 'an id has 1 to %d bytes', ID_SIZE_MAX)
    names[#names + 1] = k.id .. id
    ids[#ids + 1] = {number = number, key = k.id .. id, member = name_at(members, number)}
  end
  for i = 1, #names, UNPACK_MAX do
    local owners = redis.call('MGET', unpack(names, i, math.min(#names, i + UNPACK_MAX - 1)))
    for j, owner in ipairs(owners) do
      ids[i + j - 1].owner = owner
    end
  end
  return ids
end

-- Whose recipient has opted out: number → true. `recipients` has a word for each member, in which
-- commas separate the forms of one person's number.
local function find_optouts(k, recipients, count)
  local _, spaces = recipients:gsub(' ', ' ')
  need(spaces + 1 == count, '%d recipients of %d members', spaces + 1, count)
  local optouts, names, numbers, number = {}, {}, {}, 0
  if redis.call('EXISTS', k.optout) == 0 then
    return optouts
  end
  for forms in (recipients .. ' '):gmatch('([^ ]*) ') do
    for name in forms:gmatch('[^,]+') do
      names[#names + 1], numbers[#numbers + 1] = name, number
    end
    number = number + 1
  end
  for i = 1, #names, UNPACK_MAX do
    local last = math.min(#names, i + UNPACK_MAX - 1)
    for j, is_in in ipairs(redis.call('SMISMEMBER', k.optout, unpack(names, i, last))) do
      if is_in == 1 then
        optouts[numbers[i + j - 1]] = true
      end
    end
  end
  return optouts
end

-- Of which members an earlier attempt was accepted after all: number → true.
local function find_proven(k, members)
  local proven, names = {}, {}
  if redis.call('EXISTS', k.proven) == 0 then
    return proven
  end
  for number = 0, members.count - 1 do
    names[number + 1] = name_at(members, number)
  end
  for i = 1, #names, UNPACK_MAX do
    local last = math.min(#names, i + UNPACK_MAX - 1)
    for j, line in ipairs(redis.call('HMGET', k.proven, unpack(names, i, last))) do
      proven[i + j - 2] = line and true or nil
    end
  end
  return proven
end

-- Which members are duplicates: number → owner. The first of two in one batch is the owner, unless
-- it does not go out.
local function find_duplicates(ids, optouts, proven)
  local duplicates, given = {}, {}
  for _, id in ipairs(ids) do
    if not optouts[id.number] and not proven[id.number] then
      local owner = id.owner or given[id.key] or id.member
      given[id.key] = given[id.key] or owner
      if owner ~= id.member then
        duplicates[id.number] = owner
      end
    end
  end
  return duplicates
end

-- Of a grant that was made before: what does not stand in its record is proven, was a duplicate if
-- its id is another's, and else its recipient had opted out.
local function find_not_granted(record, members, ids, proven)
  local grant, granted, owners = read_grant_head(record), {}, {}
  local duplicates, optouts = {}, {}
  each_member(grant, function(_, member)
    granted[member] = true
  end)
  for _, id in ipairs(ids) do
    owners[id.number] = id.owner
  end
  for number = 0, members.count - 1 do
    local name = name_at(members, number)
    if granted[name] then
      proven[number] = nil
    elseif proven[number] then
      optouts[number] = nil
    elseif owners[number] and owners[number] ~= name then
      duplicates[number] = owners[number]
    else
      optouts[number] = true
    end
  end
  return duplicates, optouts
end

-- The reply, and the lines of what is granted.
local function mark_members(members, duplicates, optouts, proven)
  if next(duplicates) == nil and next(optouts) == nil and next(proven) == nil then
    return {'ok', ('g'):rep(members.count)}, members.count,
      table.concat(members.args, '\n', members.first, members.last)
  end
  local marks, lines, reply = {}, {}, {'ok', ''}
  for number = 0, members.count - 1 do
    if proven[number] then
      marks[number + 1] = 'p'
    elseif duplicates[number] then
      marks[number + 1] = 'd'
      reply[#reply + 1] = duplicates[number]
    elseif optouts[number] then
      marks[number + 1] = 'o'
    else
      marks[number + 1] = 'g'
      lines[#lines + 1] = members.args[members.first + number]
    end
  end
  reply[2] = table.concat(marks)
  return reply, #lines, table.concat(lines, '\n')
end

local function write_grant(k, grant, count, lines)
  local head = ('%s\t%.0f\t%s\t%d\n'):format(grant.holder, grant.at, grant.source, count)
  local cells = ''
  if grant.cells.count > 0 then
    cells = 'c\t' .. table.concat(grant.cells.args, '\nc\t', grant.cells.first, grant.cells.last)
      .. '\n'
  end
  redis.call('HSET', k.grants, grant.name, head .. cells .. lines)
end

-- (A B) holder, grant, at, source, cells, members, ids, recipients: writes down what is about to be
-- sent, before it is. What the record names may be on Meta's bill. An id that is taken has no end:
-- it is its owner's until that has its outcome, however long it waits.
local function grant(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local new = {holder = take_holder(reader)}
  new.name = take_own_name(reader, new.holder, 'grant')
  new.at = take_number(reader, 'at')
  new.source = take(reader, 'the source')
  new.cells = take_slice(reader, 'cells')
  local members = take_slice(reader, 'members')
  need_types(k, 'workers', 'grants', 'state', 'optout', 'proven')
  need(new.source == 'queue' or new.source == 'urgent' or new.source == 'later',
    'no source is called "%s"', new.source)
  need(members.count > 0 and members.count <= GRANT_MEMBERS_MAX, 'a grant has 1 to %d members',
    GRANT_MEMBERS_MAX)
  need_cells(new.cells)
  need_members(members, new.cells.count)
  local ids = read_ids(k, reader, members)
  local optouts = find_optouts(k, take(reader, 'the recipients'), members.count)
  local proven = find_proven(k, members)
  take_end(reader)
  local answer = judge_holder(k, new.holder)
  if answer then
    return {answer}
  end
  local before = redis.call('HGET', k.grants, new.name)
  if before then
    local duplicates, others = find_not_granted(before, members, ids, proven)
    return (mark_members(members, duplicates, others, proven))
  end
  local halt = must_wait(k) and 'wait' or halt_of(k)
  if halt then
    return {halt}
  end
  local duplicates = find_duplicates(ids, optouts, proven)
  local reply, count, lines = mark_members(members, duplicates, optouts, proven)
  if count > 0 then
    write_grant(k, new, count, lines)
  end
  for _, id in ipairs(ids) do
    if not duplicates[id.number] and not optouts[id.number] and not proven[id.number] then
      redis.call('SET', id.key, id.member)
    end
  end
  return reply
end

register('grant', grant, 'allow-oom')

end

---- settle: reading the groups ------------------------------------------------------------------

-- What other sections need of settle.
local grant_of, write_dead, write_grants, is_held

do

local function take_bulks(reader, source)
  local slice = take_slice(reader, 'bulk entries', 3)
  local bulks, members = {}, 0
  for i = slice.first, slice.last, 3 do
    local entry, mask = slice.args[i], mask_of(slice.args[i + 1])
    local total = number_of(slice.args[i + 2], 'the members of a bulk entry')
    need(id_of_entry(entry, source), '"%s" is no entry of %s', entry, source)
    need(total >= 1 and total <= BULK_MAX, 'a bulk entry has 1 to %d members', BULK_MAX)
    need(mask and (mask.high ~= 0 or mask.low ~= 0) and mask_covers(mask_full(total), mask),
      '"%s" is no mask of %d members', slice.args[i + 1], total)
    members = members + count_bits(slice.args[i + 1]:lower())
    bulks[#bulks + 1] = {entry = entry, mask = mask, total = total}
  end
  return bulks, members
end

-- {cell number, count, millionths in all}…; the sum of the counts is what the group accepts.
local function take_cells(reader)
  local slice = take_slice(reader, 'cells', 3)
  local cells, count = {}, 0
  for i = slice.first, slice.last, 3 do
    local cell = {number = number_of(slice.args[i], 'a cell number'), count = slice.args[i + 1],
      millionths = slice.args[i + 2]}
    count = count + number_of(cell.count, 'a count')
    need(#cell.millionths <= AMOUNT_DIGITS_MAX and cell.millionths:find('^%d+$'),
      '"%s" is no amount in millionths', cell.millionths)
    cells[#cells + 1] = cell
  end
  return cells, count
end

local function take_action(reader, group)
  group.action = take(reader, 'the action')
  local count = ACTIONS[group.action]
  need(count, 'no action is called "%s"', group.action)
  group.arguments = {}
  for i = 1, count do
    group.arguments[i] = take(reader, 'an argument of ' .. group.action)
  end
  if group.action == 'dead' then
    number_of(group.arguments[3], 'attempts')
    need(group.arguments[4] == '0' or group.arguments[4] == '1', 'release is 0 or 1')
  elseif count > 0 then
    number_of(group.arguments[1], 'a time')
    group.arguments[2] = ('%d'):format(number_of(group.arguments[2], 'attempt'))
    group.throttles = number_of(group.arguments[4] or '0', 'throttles')
  end
end

-- Does the group fit together? Members, places and cells must be of one number.
local function need_group(group, bulk_members, charged)
  local members = group.singles.count + bulk_members + group.names.count
  need(members > 0, 'a group without members')
  need(members == 1 or ACTIONS[group.action] == 0, '%s takes one member a group', group.action)
  if group.source == 'later' then
    need(members == group.names.count, 'members of later stand under names')
  else
    need(group.names.count == 0, 'only members of later stand under names')
  end
  for i = group.singles.first, group.singles.last do
    local single = group.singles.args[i]
    need(id_of_entry(single, group.source), '"%s" is no entry of %s', single, group.source)
  end
  for i = group.names.first, group.names.last do
    need(is_member(group.names.args[i]), '"%s" is no member', group.names.args[i])
  end
  if group.claim then
    need(group.bits == '-', 'the bits of a claim are "-"')
    need(group.action ~= 'accept' and group.action ~= 'uncertain', '%s needs a grant', group.action)
  else
    need(group.bits:find('^[%da-f]+$') and count_bits(group.bits) == members,
      'the bits "%s" do not stand for %d members', group.bits, members)
  end
  need(charged == (group.action == 'accept' and members or 0),
    'the cells count %d, and %d members are accepted', charged,
    group.action == 'accept' and members or 0)
end

local function take_group(reader)
  local group = {}
  group.token = take(reader, 'a token')
  group.claim = group.token:match('^claim:(.*)$')
  group.source = take(reader, 'the source')
  need(group.source == 'queue' or group.source == 'urgent' or group.source == 'later',
    'no source is called "%s"', group.source)
  take_action(reader, group)
  group.bits = take(reader, 'the bits')
  local charged, bulk_members
  group.cells, charged = take_cells(reader)
  group.singles = take_slice(reader, 'singles')
  group.bulks, bulk_members = take_bulks(reader, group.source)
  group.names = take_slice(reader, 'names')
  group.outcomes = take_outcomes(reader)
  group.ids = take_slice(reader, 'ids')
  need_group(group, bulk_members, charged)
  return group
end

---- settle: judging -----------------------------------------------------------------------------

-- A grant as this call leaves it, or false if it is not there.
function grant_of(book, name)
  if book.grants[name] == nil then
    local found = redis.call('HMGET', book.k.grants, name, name .. '#')
    local known = found[1] and read_grant_head(found[1]) or false
    if known then
      known.name = name
      known.words = words_of(found[2] or '', known.count)
    end
    book.grants[name] = known
  end
  return book.grants[name]
end

-- nil if the group's bits are clear in its grant, which then has them; otherwise the answer.
local function judge_by_grant(book, holder, group)
  local held = grant_of(book, group.token)
  if not held or held.holder ~= holder then
    return 'already'
  end
  need(held.source == group.source, 'grant %s is of %s and not of %s', group.token, held.source,
    group.source)
  local full = bitmap_full(held.count)
  local words = words_of(group.bits, held.count)
  need(#group.bits < #full or (#group.bits == #full
    and bit.band(tonumber(group.bits:sub(-1), 16), bit.bnot(tonumber(full:sub(-1), 16))) == 0),
    'the bits "%s" reach beyond the %d members of the grant', group.bits, held.count)
  local shared = words_shared(held.words, words, held.count)
  if shared then
    return 'already ' .. shared
  end
  for _, cell in ipairs(group.cells) do
    need(grant_cells(held)[cell.number], 'grant %s has no cell %d', group.token, cell.number)
  end
  group.grant, group.words = held, words
end

-- Is this entry in the claim's range, still there, and not settled by this very call?
local function is_claimed(book, held, entry)
  local id = id_of_entry(entry, held.source)
  return not is_earlier(id, held.first) and not is_earlier(held.last, id) and not book.gone[entry]
    and entry_fields(book, held.source, entry)
end

local function is_claimed_later(book, held, member)
  return not book.gone[member] and redis.call('HGET', book.k.later_held, member) == held.name
    and redis.call('HEXISTS', book.k.later_entries, member) == 1
end

-- nil if the claim is the caller's and all members are still there; otherwise the answer.
local function judge_by_claim(book, holder, group)
  local held = find_claim(book.k, group.claim)
  if not held or held.holder ~= holder then
    return 'already'
  end
  need(held.source == group.source, 'claim %s is of %s and not of %s', group.claim, held.source,
    group.source)
  for i = group.singles.first, group.singles.last do
    if not is_claimed(book, held, group.singles.args[i]) then
      return 'already'
    end
  end
  for _, bulk in ipairs(group.bulks) do
    if not is_claimed(book, held, bulk.entry)
        or masks_meet(left_of(book, bulk.entry), bulk.mask) then
      return 'already'
    end
  end
  for i = group.names.first, group.names.last do
    if not is_claimed_later(book, held, group.names.args[i]) then
      return 'already'
    end
  end
end

-- The only member of a group of one.
local function only_member(group)
  local bulk = group.bulks[1]
  if bulk then
    return ('%s/%d'):format(bulk.entry, mask_members(bulk.mask)[1])
  end
  local slice = group.singles.count > 0 and group.singles or group.names
  return slice.args[slice.first]
end

-- Reads what the action needs of the member and its grant. False: the member is gone.
local function read_member(book, group)
  if ACTIONS[group.action] == 0 then
    return true
  end
  group.member = only_member(group)
  group.fields, group.total, group.waiting = original_of(book, group.source, group.member)
  if group.action == 'uncertain' then
    group.index = lowest_bit(group.bits)
    local _
    _, group.attempt, group.cell = member_at(group.grant, group.index)
  end
  return group.fields ~= nil
end

-- All members that a group names.
local function members_of(group)
  local names = {}
  for _, slice in ipairs({group.singles, group.names}) do
    for i = slice.first, slice.last do
      names[#names + 1] = slice.args[i]
    end
  end
  for _, bulk in ipairs(group.bulks) do
    for _, n in ipairs(mask_members(bulk.mask)) do
      names[#names + 1] = ('%s/%d'):format(bulk.entry, n)
    end
  end
  return names
end

-- Finds the group's members of which an earlier attempt was accepted: group.proven, or nil.
local function find_proven_members(book, group)
  if not book.has_proven then
    return
  end
  local names = members_of(group)
  read_proven(book, names)
  for _, name in ipairs(names) do
    if book.proven[name] then
      group.proven = group.proven or {}
      group.proven[name] = true
    end
  end
end

-- Marks a good group's members as leaving, so that a later group of this call cannot take them.
local function mark_group(book, group)
  if group.words then
    words_join(group.grant.words, group.words)
    group.grant.is_changed = true
  end
  for _, bulk in ipairs(group.bulks) do
    leave_bulk(book, group.source, bulk.entry, bulk.mask, bulk.total)
  end
  if group.claim then
    for _, slice in ipairs({group.singles, group.names}) do
      for i = slice.first, slice.last do
        book.gone[slice.args[i]] = true
      end
    end
  end
end

-- The cells that an accepting group adds to must be integers with room above them.
local function need_ledger(book, group)
  local days = {}
  for _, cell in ipairs(group.cells) do
    local where = group.grant.cells[cell.number]
    cell.key = book.k.business .. ':cost:' .. where.day
    cell.field = where.cell .. '#' .. where.currency
    days[cell.key] = days[cell.key] or {}
    local fields = days[cell.key]
    fields[#fields + 1], fields[#fields + 2] = cell.field .. '.count', cell.field .. '.millionths'
  end
  for key, fields in pairs(days) do
    if not book.days[key] then
      need_type(key, 'hash')
      book.days[key] = true
    end
    for i, value in ipairs(redis.call('HMGET', key, unpack(fields))) do
      need(not value or (#value <= LEDGER_DIGITS_MAX and value:find('^%-?%d+$')),
        'cell %s of %s holds "%s"', fields[i], key, tostring(value))
    end
  end
end

local function judge_group(book, holder, group)
  local answer
  if group.claim then
    answer = judge_by_claim(book, holder, group)
  else
    answer = judge_by_grant(book, holder, group)
  end
  if answer then
    return answer
  end
  if not read_member(book, group) then
    return 'already'
  end
  need_ledger(book, group)
  find_proven_members(book, group)
  mark_group(book, group)
  return 'ok'
end

---- settle: writing -----------------------------------------------------------------------------

local function write_charges(group)
  for _, cell in ipairs(group.cells) do
    redis.call('HINCRBY', cell.key, cell.field .. '.count', cell.count)
    redis.call('HINCRBY', cell.key, cell.field .. '.millionths', cell.millionths)
  end
end

-- Does a member of the group have this name? Only asked where ids are released.
local function has_member(group, name)
  for _, slice in ipairs({group.singles, group.names}) do
    for i = slice.first, slice.last do
      if slice.args[i] == name then
        return true
      end
    end
  end
  local entry, n = split_member(name)
  for _, bulk in ipairs(group.bulks) do
    if bulk.entry == entry and n and n >= 1 and n <= BULK_MAX
        and masks_meet(bulk.mask, mask_single(n)) then
      return true
    end
  end
  return false
end

-- An id that is released may be used again at once, unless an earlier attempt was accepted. After
-- an outcome that may have reached the customer it is remembered for dedupe_ttl. Of what goes on, or
-- may be requeued, it stays taken.
local function write_ids(k, group, ttl)
  local releases = group.action == 'free' or (group.action == 'dead' and group.arguments[4] == '1')
  local stays = not releases and ACTIONS[group.action] > 0
  for i = group.ids.first, group.ids.last do
    local key = k.id .. group.ids.args[i]
    local owner = (releases or stays) and redis.call('MGET', key)[1] or ''
    if group.proven and group.proven[owner] or not (releases or stays) then
      redis.call('PEXPIRE', key, ttl)
    elseif releases and has_member(group, owner) then
      redis.call('DEL', key)
    end
  end
end

-- Into dead: `one` has member, fields, type, reason, attempts, is_duplicate and history.
function write_dead(k, one, now)
  local fields = {}
  for i = 1, #one.fields, 2 do
    fields[i], fields[i + 1] = 'o.' .. one.fields[i], one.fields[i + 1]
  end
  if #fields > UNPACK_MAX then
    fields = {'o.fields', cjson.encode(one.fields)}
  end
  local past = {}
  if #one.history > 0 then
    past[1], past[2] = 'history', history_json(one.history)
  end
  if one.is_duplicate then
    past[#past + 1], past[#past + 2] = 'possible_duplicate', '1'
  end
  for i = 1, #past do
    table.insert(fields, i, past[i])
  end
  local id = redis.call('XADD', k.dead, '*', 'entry', one.member, 'type', one.type, 'reason',
    one.reason, 'attempts', one.attempts, 'at', ('%.0f'):format(now), unpack(fields))
  redis.call('HSET', k.dead_members, one.member, id)
  if one.type == 'uncertain' then
    redis.call('HSET', k.dead_parked, one.member, id)
  end
end

local function bury_group(k, group, now)
  local a, waiting = group.arguments, group.waiting
  local history = history_of(waiting)
  if group.grant and tonumber(a[3]) > 0 then
    add_history(history, now, tonumber(a[3]), a[2])
  end
  write_dead(k, {member = group.member, fields = group.fields, type = a[1], reason = a[2],
    attempts = a[3], is_duplicate = waiting and waiting.possible_duplicate, history = history}, now)
  if not group.member:find('/', 1, true) then
    redis.call('HDEL', k.left, group.member)
  end
end

-- The member waits on, in later or uncertain.
local function write_waiting(k, place, group, now)
  local a, waiting = group.arguments, group.waiting
  local extra = past_extra(waiting and waiting.possible_duplicate, history_of(waiting))
  if group.throttles > 0 then
    extra = ('"throttles":%d,'):format(group.throttles) .. extra
  elseif place == 'uncertain' then
    extra = uncertain_extra(group.grant, group.index, group.cell) .. extra
  end
  redis.call('HSET', k[place .. '_entries'], group.member,
    waiting_record(a[2], now, a[3], extra, group.fields))
  if place == 'uncertain' then
    await_receipt(k, group.member, a[1])
  else
    redis.call('ZADD', k.later, a[1], group.member)
  end
end

local function write_group(k, group, ttl, now)
  local is_leaving = group.proven or group.action ~= 'later'
  delete_singles(k, group.source, group.singles)
  call_sliced('HDEL', k.later_held, group.names.args, group.names.first, group.names.last)
  if is_leaving then
    call_sliced('HDEL', k.later_entries, group.names.args, group.names.first, group.names.last)
  end
  write_charges(group)
  write_ids(k, group, ttl)
  if group.action == 'uncertain' then
    redis.call('HSET', k.exposed, ('%s/%d'):format(group.token, group.index),
      exposed_line(group.member, group.attempt, group.cell, now))
  end
  if group.proven then
    return
  elseif group.action == 'dead' then
    bury_group(k, group, now)
  elseif group.action == 'later' or group.action == 'uncertain' then
    write_waiting(k, group.action, group, now)
  end
end

-- The outcomes of a group in which something is proven: of those members their proven outcome
-- instead of the group's, or, when this attempt was accepted as well, besides it.
local function proven_outcomes(book, group)
  local lines, told = {}, {}
  if group.outcomes.count > 0 then
    lines = bulk_lines(table.concat(group.outcomes.args, '\n', group.outcomes.first,
      group.outcomes.last))
  end
  for _, line in ipairs(lines) do
    local good, outcome = pcall(cjson.decode, line)
    local member = good and type(outcome) == 'table' and outcome.entry
    if group.action == 'accept' or not group.proven[member or ''] then
      told[#told + 1] = line
    end
  end
  for _, member in ipairs(members_of(group)) do
    local json = take_proven(book, member)
    if json and group.action == 'accept' then
      json = flagged(json, 'corrected')
    elseif json and group.action == 'uncertain' then
      json = flagged(json, 'accepted')
    end
    told[#told + 1] = json
  end
  return table.concat(told, '\n'), #told
end

-- What a group tells: lines, and how many.
local function outcomes_of(book, group)
  if group.proven then
    return proven_outcomes(book, group)
  end
  local outcomes = group.outcomes
  return table.concat(outcomes.args, '\n', outcomes.first, outcomes.last), outcomes.count
end

-- A grant whose last member is settled goes; of others the bitmap is kept.
function write_grants(book)
  for name, held in pairs(book.grants) do
    if held and held.is_changed then
      local bitmap = words_hex(held.words, held.count)
      if bitmap == bitmap_full(held.count) then
        redis.call('HDEL', book.k.grants, name, name .. '#')
      else
        redis.call('HSET', book.k.grants, name .. '#', bitmap)
      end
    end
  end
end

-- Is something left of a claim's range?
function is_held(k, held)
  if held.source ~= 'later' then
    return redis.call('XRANGE', k[held.source], held.first, held.last, 'COUNT', 1)[1] ~= nil
  end
  return #held_members(k, held) > 0
end

local function write_finished(k, claims)
  for i = claims.first, claims.last do
    local held = find_claim(k, claims.args[i])
    if held and not is_held(k, held) then
      redis.call('HDEL', k.claims, claims.args[i])
    end
  end
end

-- All claims named must be the caller's and readable, before anything is written.
local function need_finished(k, holder, claims)
  for i = claims.first, claims.last do
    need_own_name(claims.args[i], holder, 'claim')
    find_claim(k, claims.args[i])
  end
end

-- (A B) holder, events_keep, dedupe_ttl, groups, finished claims: outcomes of a batch, in one step.
local function settle(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local holder = take_holder(reader)
  local keep = take_number(reader, 'events_keep')
  local ttl = take_number(reader, 'dedupe_ttl')
  local group_count = take_number(reader, 'the number of groups')
  need(group_count <= GROUPS_MAX, 'a settle has at most %d groups', GROUPS_MAX)
  local groups, cell_count = {}, 0
  for i = 1, group_count do
    groups[i] = take_group(reader)
    cell_count = cell_count + #groups[i].cells
  end
  need(cell_count <= CELLS_MAX, 'a settle has at most %d cells', CELLS_MAX)
  local claims = take_slice(reader, 'finished claims')
  take_end(reader)
  need_types(k, 'queue', 'urgent', 'left', 'grants', 'claims', 'later', 'later_entries',
    'later_held', 'uncertain', 'uncertain_entries', 'dead', 'events', 'event_index', 'exposed',
    'proven', 'dead_members', 'dead_parked', 'workers')
  need_finished(k, holder, claims)
  if judge_holder(k, holder) == 'declare' then
    return {'declare'}
  end

  local book, answers = open_book(k), {}
  book.has_proven = redis.call('EXISTS', k.proven) == 1
  for i, group in ipairs(groups) do
    answers[i] = judge_group(book, holder, group)
  end

  local now, texts, outcome_count = now_ms(), {}, 0
  for i, group in ipairs(groups) do
    if answers[i] == 'ok' then
      write_group(k, group, ttl, now)
      local text, count = outcomes_of(book, group)
      if count > 0 then
        texts[#texts + 1], outcome_count = text, outcome_count + count
      end
    end
  end
  write_left(book)
  write_grants(book)
  if outcome_count > 0 then
    append_event(k, outcome_count, table.concat(texts, '\n'), keep)
  end
  write_finished(k, claims)
  return answers
end

register('settle', settle, 'allow-oom')

end

---- giving back ---------------------------------------------------------------------------------

-- Gives a claim back: a range to `returned`, urgent ones first; members of later to later, due now.
local function give_back(k, held, now)
  if held.source == 'later' then
    for _, member in ipairs(held_members(k, held)) do
      redis.call('ZADD', k.later, ('%.0f'):format(now), member)
      redis.call('HDEL', k.later_held, member)
    end
  elseif is_held(k, held) then
    redis.call(held.source == 'urgent' and 'LPUSH' or 'RPUSH', k.returned,
      ('%s\t%s\t%s'):format(held.source, held.first, held.last))
  end
  redis.call('HDEL', k.claims, held.name)
end

---- recover -------------------------------------------------------------------------------------
do

-- The names in a hash of claims or grants whose holder is not among the living, sorted.
local function orphans_in(key, living)
  local names = {}
  for _, name in ipairs(redis.call('HKEYS', key)) do
    if name:sub(-1) ~= '#' and not living[name:sub(1, 16)] then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

-- Reads the orphaned grants whole, as many as one call may clean up. Nothing is written yet.
local function read_orphans(book, names)
  local members, count = {}, 0
  for _, name in ipairs(names) do
    if #members >= RECOVER_MEMBERS_MAX then
      break
    end
    local found = redis.call('HMGET', book.k.grants, name, name .. '#')
    local held = read_grant_head(found[1])
    held.name = name
    each_member(held, function(index, member, attempt, cell, id)
      if not bitmap_has(found[2] or '', index) then
        need(is_member(member), 'a grant cannot be read: "%s"', member)
        members[#members + 1] = {name = member, attempt = attempt, cell = cell, id = id,
          index = index, grant = held}
      end
    end)
    count = count + 1
  end
  local names = {}
  for i, member in ipairs(members) do
    names[i] = member.name
  end
  read_proven(book, names)
  return members, count
end

-- Takes a member out of its place: its fields, and its waiting record if it came from later. nil: it
-- is gone from there, so it had its outcome.
local function take_out(book, member)
  local source = member.grant.source
  local entry, n = split_member(member.name)
  if source ~= 'later' and n and (n < 1 or n > BULK_MAX
      or masks_meet(left_of(book, entry), mask_single(n))) then
    return nil
  end
  local fields, total, waiting = original_of(book, source, member.name)
  if not fields then
    return nil
  end
  if source == 'later' then
    redis.call('HDEL', book.k.later_entries, member.name)
    redis.call('HDEL', book.k.later_held, member.name)
    redis.call('ZREM', book.k.later, member.name)
  elseif n then
    leave_bulk(book, source, entry, mask_single(n), math.min(total, BULK_MAX))
  else
    redis.call('XDEL', book.k[source], id_of_entry(entry, source))
    book.entries[entry] = false
  end
  return fields, waiting
end

-- Moves the members of orphaned grants to uncertain and returns their outcomes. One that is proven
-- leaves with that outcome; the attempt that its worker had begun may be a second one.
local function park_members(book, members, until_ms, now)
  local k, reason, outcomes = book.k, 'the worker that sent it died', {}
  for _, member in ipairs(members) do
    local fields, waiting = take_out(book, member)
    local proven = fields and take_proven(book, member.name)
    if fields then
      redis.call('HSET', k.exposed, ('%s/%d'):format(member.grant.name, member.index),
        exposed_line(member.name, member.attempt, member.cell, now))
    end
    if proven then
      outcomes[#outcomes + 1] = flagged(proven, 'accepted')
    elseif fields then
      local extra = uncertain_extra(member.grant, member.index, member.cell)
        .. past_extra(waiting and waiting.possible_duplicate, history_of(waiting))
      redis.call('HSET', k.uncertain_entries, member.name,
        waiting_record(member.attempt, now, reason, extra, fields))
      await_receipt(k, member.name, until_ms)
      outcomes[#outcomes + 1] = outcome_json('uncertain', {member = member.name, cell = member.cell,
        attempt = member.attempt, at = now, fields = fields, id = member.id, reason = reason,
        is_duplicate = waiting and waiting.possible_duplicate})
    end
  end
  write_left(book)
  return outcomes
end

-- (A B) uncertain_until, events_keep: cleans up after all holders that are not in B:workers. Grants
-- first: a claim goes back only when nothing in it may be on its way to Meta.
local function recover(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local until_ms = take_number(reader, 'uncertain_until')
  local keep = take_number(reader, 'events_keep')
  take_end(reader)
  need_types(k, 'workers', 'queue', 'urgent', 'left', 'grants', 'claims', 'returned', 'later',
    'later_entries', 'later_held', 'uncertain', 'uncertain_entries', 'events', 'event_index',
    'exposed', 'proven')
  local living = {}
  for _, holder in ipairs(redis.call('HKEYS', k.workers)) do
    living[holder] = true
  end
  local book, now = open_book(k), now_ms()
  local grants, claims = orphans_in(k.grants, living), {}
  local members, grant_count = read_orphans(book, grants)
  if grant_count == #grants then
    for _, name in ipairs(orphans_in(k.claims, living)) do
      claims[#claims + 1] = find_claim(k, name)
    end
  end

  local outcomes = park_members(book, members, until_ms, now)
  for i = 1, grant_count do
    redis.call('HDEL', k.grants, grants[i], grants[i] .. '#')
  end
  append_outcomes(k, outcomes, keep)
  for _, held in ipairs(claims) do
    give_back(k, held, now)
  end
  return {#claims, #outcomes}
end

register('recover', recover, 'allow-oom')

end

---- places: where a member is -------------------------------------------------------------------

local claim_around, grant_members, granted_by, locate, leave_place

do

-- The claims of a stream, by their first entry.
local function claims_of(book, source)
  if not book.claims then
    local all = redis.call('HGETALL', book.k.claims)
    book.claims = {queue = {}, urgent = {}, replies = {}, later = {}}
    for i = 1, #all, 2 do
      local held = read_claim(all[i], all[i + 1])
      table.insert(book.claims[held.source], held)
    end
    for name in pairs(PREFIX) do
      table.sort(book.claims[name], function(a, b)
        return is_earlier(a.first, b.first)
      end)
    end
  end
  return book.claims[source]
end

-- The claim in whose range this id of a stream is, or nil. Ranges do not overlap.
function claim_around(book, source, id)
  local claims = claims_of(book, source)
  local low, high = 1, #claims
  while low <= high do
    local middle = math.floor((low + high) / 2)
    if is_earlier(id, claims[middle].first) then
      high = middle - 1
    else
      low = middle + 1
    end
  end
  local held = claims[high]
  return held and not is_earlier(held.last, id) and held or nil
end

-- A grant's members, from 1: {name, attempt, cell, id}.
function grant_members(grant)
  if not grant.members then
    grant.members = {}
    each_member(grant, function(_, member, attempt, cell, id)
      grant.members[#grant.members + 1] = {name = member, attempt = attempt, cell = cell, id = id}
    end)
  end
  return grant.members
end

-- The places in a holder's grants: member → list of {grant, index}.
function granted_by(book, holder)
  if not book.granted[holder] then
    local index = {}
    for _, name in ipairs(redis.call('HKEYS', book.k.grants)) do
      local grant = name:sub(1, 17) == holder .. '.' and name:sub(-1) ~= '#' and grant_of(book, name)
      for i, one in ipairs(grant and grant_members(grant) or {}) do
        index[one.name] = index[one.name] or {}
        table.insert(index[one.name], {grant = grant, index = i - 1})
      end
    end
    book.granted[holder] = index
  end
  return book.granted[holder]
end

-- Does one of the holder's grants name this member, with its bit clear?
local function is_granted(book, holder, member)
  for _, one in ipairs(granted_by(book, holder)[member] or {}) do
    if not words_have(one.grant.words, one.index) then
      return true
    end
  end
  return false
end

local function set_holder(book, found, holder)
  found.holder = holder
  found.place = is_granted(book, holder, found.name) and 'granted' or 'claimed'
end

local function find_in_later(book, member)
  local record = redis.call('HGET', book.k.later_entries, member)
  if not record then
    return nil
  end
  local waiting = read_waiting(record)
  local found = {name = member, place = 'later', source = 'later', waiting = waiting,
    fields = waiting.fields}
  local name = redis.call('HGET', book.k.later_held, member)
  local held = name and find_claim(book.k, name)
  if held then
    set_holder(book, found, held.holder)
  end
  return found
end

local function find_in_dead(book, member)
  local id = redis.call('HGET', book.k.dead_members, member)
  local entry = id and redis.call('XRANGE', book.k.dead, id, id)[1]
  if not entry then
    return nil
  end
  local found = {name = member, place = 'dead', id = id, fields = {}}
  for i = 1, #entry[2], 2 do
    local name, value = entry[2][i], entry[2][i + 1]
    if name:sub(1, 2) == 'o.' then
      found.fields[#found.fields + 1], found.fields[#found.fields + 2] = name:sub(3), value
    elseif name == 'possible_duplicate' then
      found.waiting = {possible_duplicate = true}
    end
  end
  return found
end

local function find_in_stream(book, member)
  local entry, n = split_member(member)
  local source = source_of(entry)
  local id = id_of_entry(entry, source)
  local fields = id and entry_fields(book, source, entry)
  local bulk = fields and bulk_of(fields)
  if not fields or (bulk ~= nil) ~= (n ~= nil) then
    return nil
  end
  local found = {name = member, place = 'waiting', source = source, entry = entry, n = n,
    fields = fields}
  if n then
    local lines = bulk_lines(bulk)
    if n < 1 or n > math.min(#lines, BULK_MAX)
        or masks_meet(left_of(book, entry), mask_single(n)) then
      return nil
    end
    found.total, found.fields = math.min(#lines, BULK_MAX), {'member', lines[n]}
  end
  local held = claim_around(book, source, id)
  if held then
    set_holder(book, found, held.holder)
  end
  return found
end

-- Where a member is, as this call leaves it: its place (waiting, claimed, granted, later, uncertain,
-- dead, gone), its fields, and what else leave_place() needs.
function locate(book, member)
  if not book.members[member] then
    local record = redis.call('HGET', book.k.uncertain_entries, member)
    local waiting = record and read_waiting(record)
    book.members[member] = waiting
      and {name = member, place = 'uncertain', waiting = waiting, fields = waiting.fields}
      or find_in_later(book, member) or find_in_dead(book, member) or find_in_stream(book, member)
      or {name = member, place = 'gone', fields = {}}
  end
  return book.members[member]
end

-- Takes a member out of its place. The caller ends with write_left().
function leave_place(book, found)
  local k, member = book.k, found.name
  if found.place == 'uncertain' then
    redis.call('HDEL', k.uncertain_entries, member)
    redis.call('ZREM', k.uncertain, member)
  elseif found.place == 'dead' then
    redis.call('XDEL', k.dead, found.id)
    forget_dead(k, member)
  elseif found.source == 'later' then
    redis.call('HDEL', k.later_entries, member)
    redis.call('HDEL', k.later_held, member)
    redis.call('ZREM', k.later, member)
  elseif found.n then
    leave_bulk(book, found.source, found.entry, mask_single(found.n), found.total)
  elseif found.entry then
    redis.call('XDEL', k[found.source], id_of_entry(found.entry, found.source))
    book.entries[found.entry] = false
  end
  found.place, found.source, found.entry = 'gone', nil, nil
end

end

---- claims in which something is granted --------------------------------------------------------

-- Calls take(member, source) for each unsettled member of the holder's grants.
local function each_granted(k, holder, take_member)
  for _, name in ipairs(redis.call('HKEYS', k.grants)) do
    if name:sub(1, 17) == holder .. '.' and name:sub(-1) ~= '#' then
      local found = redis.call('HMGET', k.grants, name, name .. '#')
      local held = read_grant_head(found[1])
      each_member(held, function(index, member)
        if not bitmap_has(found[2] or '', index) then
          take_member(member, held.source)
        end
      end)
    end
  end
end

-- The holder's claims in which something is granted and not settled: name → true. They must not be
-- given back: another worker would send it again.
local function find_used_claims(book, holder)
  local used, later = {}, {}
  each_granted(book.k, holder, function(member, source)
    if source == 'later' then
      later[#later + 1] = member
      return
    end
    local id = id_of_entry(split_member(member), source)
    local held = id and claim_around(book, source, id)
    if held then
      used[held.name] = true
    end
  end)
  for i = 1, #later, UNPACK_MAX do
    local last = math.min(#later, i + UNPACK_MAX - 1)
    for _, name in ipairs(redis.call('HMGET', book.k.later_held, unpack(later, i, last))) do
      used[name or ''] = true
    end
  end
  return used
end

-- (A B) holder, claim…: a worker gives back what it will not send. How many were given back.
local function give_claims(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local holder = take_holder(reader)
  need_types(k, 'claims', 'grants', 'returned', 'queue', 'urgent', 'later', 'later_held')
  local used, back = find_used_claims(open_book(k), holder), {}
  for i = 2, #args do
    need_own_name(args[i], holder, 'claim')
    local held = find_claim(k, args[i])
    if held and not used[args[i]] and not back[args[i]] then
      back[#back + 1], back[args[i]] = held, true
    end
  end
  local now = now_ms()
  for _, held in ipairs(back) do
    give_back(k, held, now)
  end
  return #back
end

register('return', give_claims, 'allow-oom')

---- receipts: proof of what became of an attempt ------------------------------------------------

-- Before anything is written: may this cell of the ledger be added to?
local function need_cell(book, cell)
  local key, field = book.k.business .. ':cost:' .. cell.day, cell.cell .. '#' .. cell.currency
  if book.cells[key .. ' ' .. field] then
    return
  end
  need_type(key, 'hash')
  for i, value in ipairs(redis.call('HMGET', key, field .. '.count', field .. '.millionths')) do
    need(not value or (#value <= LEDGER_DIGITS_MAX and value:find('^%-?%d+$')),
      'cell %s%s of %s holds "%s"', field, i == 1 and '.count' or '.millionths', key,
      tostring(value))
  end
  book.cells[key .. ' ' .. field] = true
end

local function charge(book, cell)
  local key, field = book.k.business .. ':cost:' .. cell.day, cell.cell .. '#' .. cell.currency
  redis.call('HINCRBY', key, field .. '.count', 1)
  redis.call('HINCRBY', key, field .. '.millionths', cell.price)
end

-- The receipt's member in its grant, if its bit there is clear.
local function granted_of(book, receipt)
  local grant = grant_of(book, receipt.grant)
  local one = grant and grant_members(grant)[receipt.index + 1]
  if one and one.name == receipt.member and not words_have(grant.words, receipt.index) then
    return one, grant
  end
end

local function is_proven(book, receipt)
  local proven = book.proven[receipt.member]
  return proven and (' ' .. proven.tokens .. ' '):find(' ' .. receipt.token .. ' ', 1, true)
end

-- Reads all that taking the receipt may need, so that taking it cannot fail.
local function read_receipt(book, receipt)
  local exposed, granted = exposed_of(book, receipt.token), granted_of(book, receipt)
  local found = locate(book, receipt.member)
  if exposed then
    need_cell(book, exposed.cell)
  end
  if granted then
    need_cell(book, granted.cell)
  end
  if found.place ~= 'gone' then
    need_cell(book, receipt.cell)
  end
end

-- An id of a member that leaves is remembered for dedupe_ttl. (GET refuses a key of another type.)
local function expire_id(book, id, member)
  if id ~= '' and #id <= ID_SIZE_MAX and redis.call('MGET', book.k.id .. id)[1] == member then
    redis.call('PEXPIRE', book.k.id .. id, book.ttl)
  end
end

-- The id of a member that was sent is its own, also when Redis has forgotten that it took it.
local function keep_id(book, attempt, found)
  local id = attempt.id or text_in(found.fields, 'id')
  if id ~= '' and #id <= ID_SIZE_MAX then
    redis.call('SET', book.k.id .. id, found.name, 'PX', book.ttl, 'NX')
  end
  expire_id(book, id, found.name)
end

-- The JSON of what a receipt says. A receipt of a second attempt may be a second message.
local function receipt_json(book, receipt, kind, attempt, found, is_duplicate)
  return outcome_json(kind, {member = receipt.member, cell = attempt.cell, at = book.now,
    attempt = attempt.attempt, fields = found.fields, id = attempt.id, to = receipt.to,
    wamid = receipt.wamid, reason = receipt.reason, is_duplicate = is_duplicate})
end

local function tell(book, json)
  book.outcomes[#book.outcomes + 1] = json
end

-- The member leaves wherever it is. What was proven of it before was a message as well.
local function leave_accepted(book, receipt, attempt, found)
  local is_duplicate = found.place ~= 'later' and found.waiting ~= nil
    and found.waiting.possible_duplicate
  keep_id(book, attempt, found)
  leave_place(book, found)
  tell(book, receipt_json(book, receipt, 'accepted', attempt, found, is_duplicate))
  local proven = take_proven(book, receipt.member)
  if proven then
    tell(book, flagged(proven, 'corrected'))
  end
end

-- The member is somebody's at this moment, and will leave with this outcome when that one settles.
-- Its id expires from now on: that one may not name it.
local function add_proven(book, receipt, attempt, found)
  local proven = book.proven[receipt.member]
  if proven then
    tell(book, receipt_json(book, receipt, 'corrected', attempt, found, true))
    proven.tokens = proven.tokens .. ' ' .. receipt.token
  else
    keep_id(book, attempt, found)
    proven = {tokens = receipt.token,
      json = receipt_json(book, receipt, 'accepted', attempt, found)}
    book.proven[receipt.member] = proven
  end
  redis.call('HSET', book.k.proven, receipt.member, proven.tokens .. '\n' .. proven.json)
end

-- Which attempt a receipt of `accepted` is of: {attempt, cell, id or nil}, and whether it stands in
-- its grant; it is taken from there, so that it is charged once. nil: nothing is to be done.
local function take_attempt(book, receipt, found)
  local exposed, granted, grant = exposed_of(book, receipt.token), granted_of(book, receipt)
  if exposed then
    if exposed.member ~= receipt.member then
      return nil
    end
    redis.call('HDEL', book.k.exposed, receipt.token)
    book.exposed[receipt.token] = false
    return exposed, false
  elseif granted then
    words_set(grant.words, receipt.index)
    grant.is_changed = true
    return granted, true
  elseif found.place == 'gone' or is_proven(book, receipt) then
    return nil
  end
  -- Redis has forgotten this attempt, for the member is still in a place.
  return {attempt = receipt.attempt, cell = receipt.cell}, false
end

-- Charges an attempt that Meta accepted. The member's place until now; nil: it was known.
local function accept_attempt(book, receipt)
  local found = locate(book, receipt.member)
  local place = found.place
  local attempt, is_granted_here = take_attempt(book, receipt, found)
  if not attempt then
    return nil
  end
  charge(book, attempt.cell)
  if place == 'gone' then
    tell(book, receipt_json(book, receipt, 'corrected', attempt, found, true))
  elseif is_granted_here or not found.holder then
    leave_accepted(book, receipt, attempt, found)
  else
    add_proven(book, receipt, attempt, found)
  end
  return is_granted_here and 'granted' or place
end

-- Meta took the attempt and could not deliver it: nothing is charged. Likewise.
local function fail_attempt(book, receipt)
  local found = locate(book, receipt.member)
  local place, waiting = found.place, found.waiting
  local exposed, granted, grant = exposed_of(book, receipt.token), granted_of(book, receipt)
  if exposed and exposed.member == receipt.member then
    redis.call('HDEL', book.k.exposed, receipt.token)
    book.exposed[receipt.token] = false
    if place ~= 'uncertain' or waiting.grant ~= receipt.grant or waiting.index ~= receipt.index then
      return place
    end
  elseif granted and not exposed then
    words_set(grant.words, receipt.index)
    grant.is_changed, place = true, 'granted'
  else
    return nil
  end
  local attempt = granted or exposed
  expire_id(book, attempt.id or text_in(found.fields, 'id'), receipt.member)
  leave_place(book, found)
  tell(book, take_proven(book, receipt.member)
    or receipt_json(book, receipt, 'failed', attempt, found))
  return place
end

do

local RECEIPT = '^(%l+)\t([^\t]+)\t(%d+)\t([^\t]+)\t(%d+)\t(%d%d%d%d%-%d%d%-%d%d)\t([^\t]+)'
  .. '\t(%u%u%u)\t(%d+)\t([^\t]*)\t([^\t]*)\t([^\t]*)$'

-- STATUS MEMBER ATTEMPT GRANT INDEX DAY CELL CURRENCY MILLIONTHS WAMID TO REASON
local function take_receipt(reader)
  local line = take(reader, 'a receipt')
  local status, member, attempt, grant, index, day, cell, currency, price, wamid, to, reason =
    line:match(RECEIPT)
  need(status and not line:gsub('\t', ''):find('%c'), 'a receipt cannot be read: "%s"',
    line:sub(1, 200))
  need(status == 'accepted' or status == 'failed', 'accepted or failed, not "%s"', status)
  local entry = split_member(member)
  need(is_member(member) and id_of_entry(entry, source_of(entry)), '"%s" is no member', member)
  need(#grant <= 40 and grant:find('^%x+%.%d+$') == 1 and grant:sub(17, 17) == '.',
    '"%s" is no grant', grant)
  need(#price <= AMOUNT_DIGITS_MAX, '"%s" is no amount in millionths', price)
  local receipt = {status = status, member = member, grant = grant, wamid = wamid, to = to,
    reason = reason, cell = {day = day, cell = cell, currency = currency, price = price}}
  receipt.attempt = ('%d'):format(number_of(attempt, 'attempt'))
  receipt.index = number_of(index, 'the index')
  need(receipt.index < GRANT_MEMBERS_MAX, 'a grant has at most %d members', GRANT_MEMBERS_MAX)
  receipt.token = ('%s/%d'):format(grant, receipt.index)
  return receipt
end

-- (A B) events_keep, dedupe_ttl, receipts: proof from outside, wherever the member is. An answer a
-- line: `ok PLACE` if it was news, or `known`.
local function receive(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local keep = take_number(reader, 'events_keep')
  local ttl = take_number(reader, 'dedupe_ttl')
  local count = take_number(reader, 'the number of receipts')
  need(ttl >= 1, 'dedupe_ttl must be at least 1 ms')
  need(count <= RECEIPTS_MAX, 'at most %d receipts a call', RECEIPTS_MAX)
  local receipts, names, answers = {}, {}, {}
  for i = 1, count do
    receipts[i] = take_receipt(reader)
    names[i] = receipts[i].member
  end
  take_end(reader)
  need_types(k, 'queue', 'urgent', 'replies', 'left', 'claims', 'grants', 'later', 'later_entries',
    'later_held', 'uncertain', 'uncertain_entries', 'dead', 'dead_members', 'dead_parked',
    'exposed', 'proven', 'events', 'event_index')
  local book = open_book(k)
  book.ttl, book.now = ttl, now_ms()
  read_proven(book, names)
  for _, receipt in ipairs(receipts) do
    read_receipt(book, receipt)
  end

  for i, receipt in ipairs(receipts) do
    local take_it = receipt.status == 'accepted' and accept_attempt or fail_attempt
    local place = take_it(book, receipt)
    answers[i] = place and 'ok ' .. place or 'known'
  end
  write_left(book)
  write_grants(book)
  append_outcomes(k, book.outcomes, keep)
  return answers
end

register('receipt', receive, 'allow-oom')

end

---- declare: what a worker has that may be forgotten --------------------------------------------
do

-- A bitmap over `count` members, as words.
local function take_bitmap(reader, what, count)
  local hex, full = take(reader, what), bitmap_full(count)
  local digits = hex == '' or hex:find('^[%da-f]+$')
  need(digits and #hex <= #full and (#hex < #full
    or bit.band(tonumber(hex:sub(-1), 16), bit.bnot(tonumber(full:sub(-1), 16))) == 0),
    '%s "%s" is no bitmap of %d members', what, hex, count)
  return words_of(hex, count)
end

-- A record as it was written at grant, with its members judged like those of a new grant.
local function take_record(reader, holder)
  local record = take(reader, 'a record')
  local grant = read_grant_head(record)
  need(grant.holder == holder, 'the record of another holder: "%s"', record:sub(1, 80))
  local cells = grant_cells(grant)
  for number = 0, #cells do
    local cell = cells[number]
    need(cell and cell.day:find('^%d%d%d%d%-%d%d%-%d%d$') and #cell.price <= AMOUNT_DIGITS_MAX,
      'cell %d of a record cannot be read', number)
  end
  for i, member in ipairs(grant_members(grant)) do
    local entry = split_member(member.name)
    need(is_member(member.name) and id_of_entry(entry, source_of(entry)),
      'member %d of a record cannot be read: "%s"', i - 1, member.name)
  end
  need(#grant.members == grant.count and grant.count > 0 and grant.count <= GRANT_MEMBERS_MAX,
    'a record of %d members says %d', #grant.members, grant.count)
  return grant
end

-- NAME RECORD ACCEPTED UNCERTAIN OPEN
local function take_declared(reader, holder)
  local name = take_own_name(reader, holder, 'grant')
  local grant = take_record(reader, holder)
  grant.name, grant.accepted = name, take_bitmap(reader, 'accepted', grant.count)
  grant.uncertain = take_bitmap(reader, 'uncertain', grant.count)
  grant.open = take_bitmap(reader, 'open', grant.count)
  need(not (words_shared(grant.accepted, grant.uncertain, grant.count)
    or words_shared(grant.accepted, grant.open, grant.count)
    or words_shared(grant.uncertain, grant.open, grant.count)),
    'a member of %s is named twice', name)
  return grant
end

-- What is declared of a member, as a receipt would tell it; and whether anything is.
local function tell_of(grant, index)
  for _, what in ipairs({'accepted', 'uncertain', 'open'}) do
    if words_have(grant[what], index) then
      local one = grant.members[index + 1]
      return {what = what, member = one.name, attempt = one.attempt, cell = one.cell, id = one.id,
        grant = grant.name, index = index, token = ('%s/%d'):format(grant.name, index),
        wamid = '', to = '', reason = 'told again by its worker'}
    end
  end
end

-- Reads all that is declared of a grant, so that nothing of it can fail.
local function read_declared(book, grant, tellings)
  local known, is_some = grant_of(book, grant.name), false
  for index = 0, grant.count - 1 do
    local telling = tell_of(grant, index)
    if telling then
      tellings[#tellings + 1], is_some = telling, true
      telling.declared = grant
    end
  end
  if known then
    grant.known = known.words
    need(not is_some or known.record:sub(known.body) == grant.record:sub(grant.body),
      'grant %s has another record than the one declared', grant.name)
  end
end

-- Was this attempt, or a later one, settled already? Its member then waits with that many attempts.
local function is_counted(found, telling)
  local attempts = found.waiting and found.waiting.attempt
  return attempts ~= nil and attempts >= tonumber(telling.attempt)
end

-- Is the member somebody else's by now: of one who has declared, or of a grant with a later attempt?
-- An earlier attempt of one who has not was settled before this one began, and Redis has forgotten
-- it: its bit is set.
local function is_of_another(book, holder, found, telling)
  if not found.holder or found.holder == holder then
    return false
  elseif told[book.k.business].declared[found.holder] then
    return true
  end
  local others = {}
  for _, one in ipairs(granted_by(book, found.holder)[found.name] or {}) do
    if not words_have(one.grant.words, one.index) then
      others[#others + 1] = one
      local attempt = grant_members(one.grant)[one.index + 1].attempt
      if tonumber(attempt) > tonumber(telling.attempt) then
        return true
      end
    end
  end
  for _, one in ipairs(others) do
    words_set(one.grant.words, one.index)
    one.grant.is_changed = true
  end
  found.place, found.holder = 'claimed', nil
  return false
end

-- The id is this member's, also if that was forgotten and another took it meanwhile.
local function retake_id(book, telling)
  if telling.id ~= '' and #telling.id <= ID_SIZE_MAX then
    redis.call('SET', book.k.id .. telling.id, telling.member)
  end
end

-- A member that is nowhere had its outcome, or Redis has forgotten that it was ever added. Its
-- producer may add it again then: the id says that it was sent.
local function keep_id_of_gone(book, telling)
  if telling.id ~= '' and #telling.id <= ID_SIZE_MAX and not telling.declared.known then
    redis.call('SET', book.k.id .. telling.id, telling.member, 'PX', book.ttl, 'NX')
  end
end

local function declare_accepted(book, holder, telling)
  local found = locate(book, telling.member)
  if not is_of_another(book, holder, found, telling) then
    found.holder = nil -- whose claim it is in gives that back: nobody waits for this member any more
  end
  if found.place ~= 'gone' and not is_proven(book, telling) then
    retake_id(book, telling)
  end
  accept_attempt(book, telling)
end

local function write_exposed(book, telling)
  redis.call('HSET', book.k.exposed, telling.token,
    exposed_line(telling.member, telling.attempt, telling.cell, book.now))
end

-- Parks a member whose settle as uncertain was forgotten.
local function declare_uncertain(book, holder, telling)
  if is_proven(book, telling) then
    return -- a receipt was quicker: it is charged, and its member will leave with that
  end
  local k, found = book.k, locate(book, telling.member)
  local waiting = found.waiting
  if found.place == 'gone' or exposed_of(book, telling.token) or is_counted(found, telling) then
    return
  end
  write_exposed(book, telling)
  if found.place == 'uncertain' or found.place == 'dead'
      or is_of_another(book, holder, found, telling) then
    return
  end
  retake_id(book, telling)
  leave_place(book, found)
  local proven = take_proven(book, telling.member)
  if proven then
    expire_id(book, telling.id, telling.member)
    tell(book, flagged(proven, 'accepted'))
    return
  end
  local extra = uncertain_extra({name = telling.grant}, telling.index, telling.cell)
    .. past_extra(waiting and waiting.possible_duplicate, history_of(waiting))
  redis.call('HSET', k.uncertain_entries, telling.member,
    waiting_record(telling.attempt, book.now, telling.reason, extra, found.fields))
  await_receipt(k, telling.member, book.until_ms)
  tell(book, outcome_json('uncertain', {member = telling.member, cell = telling.cell,
    attempt = telling.attempt, at = book.now, fields = found.fields, id = telling.id,
    reason = telling.reason, is_duplicate = waiting and waiting.possible_duplicate}))
end

-- Is this open member still the holder's? Not if it was settled, or is somebody else's by now. One
-- that is gone from its place though its grant stands (deleted by hand) goes on as it would have.
local function is_still_open(book, holder, telling)
  local known, found = telling.declared.known, locate(book, telling.member)
  if known then
    return not words_have(known, telling.index)
  end
  return found.place ~= 'gone' and found.place ~= 'dead' and not is_counted(found, telling)
    and not exposed_of(book, telling.token) and not is_proven(book, telling)
    and not is_of_another(book, holder, found, telling)
end

-- Moves a member that may be on the wire to where nobody else takes it from: into later, held by
-- the claim.
local function hold_open(book, holder, claim, telling)
  local k, found, member = book.k, locate(book, telling.member), telling.member
  local waiting = found.waiting
  if found.place == 'gone' then
    return
  end
  retake_id(book, telling)
  if found.source ~= 'later' then
    local is_duplicate = found.place == 'uncertain' or waiting and waiting.possible_duplicate
    local fields = found.fields
    leave_place(book, found)
    local attempts = ('%.0f'):format(math.max(0, telling.attempt - 1))
    redis.call('HSET', k.later_entries, member, waiting_record(attempts, book.now, telling.reason,
      past_extra(is_duplicate, history_of(waiting)), fields))
  end
  redis.call('ZREM', k.later, member)
  redis.call('HSET', k.later_held, member, claim.name)
  claim.members[#claim.members + 1], claim.has[member] = member, true
end

-- What is open stays in the grant; the grant is written anew, or taken away. Returns that as hex.
local function write_open(k, grant, open)
  local settled = words_of(bitmap_full(grant.count), grant.count)
  if words_shared(settled, open, grant.count) then
    for i = 1, #open do
      settled[i] = bit.band(settled[i], bit.bnot(open[i]))
    end
    redis.call('HSET', k.grants, grant.name,
      grant.record:gsub('^(%x+\t%d+\t)%l+', '%1later', 1), grant.name .. '#',
      words_hex(settled, grant.count))
  else
    redis.call('HDEL', k.grants, grant.name, grant.name .. '#')
  end
  return words_hex(open, grant.count)
end

-- What the claim held before this call stays in it.
local function write_claim(book, claim)
  if #claim.members == 0 then
    return
  end
  for _, member in ipairs(claim.before and held_members(book.k, claim.before) or {}) do
    if not claim.has[member] then
      claim.members[#claim.members + 1], claim.has[member] = member, true
    end
  end
  redis.call('HSET', book.k.claims, claim.name, ('%s\tlater\t%s\t-\t%.0f'):format(claim.holder,
    table.concat(claim.members, ' '), book.now))
end

-- Gives back all the holder's claims in which nothing is granted.
local function give_rest(book, holder)
  local used, names = find_used_claims(book, holder), {}
  for _, name in ipairs(redis.call('HKEYS', book.k.claims)) do
    if name:sub(1, 17) == holder .. '.' and not used[name] then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    give_back(book.k, find_claim(book.k, name), book.now)
  end
end

-- The claim that will hold what is open.
local function take_claim(reader, k, holder)
  local name = take_own_name(reader, holder, 'claim')
  need(name:find('%d$'), '"%s" is no claim of %s', name, holder)
  local before = find_claim(k, name)
  need(not before or before.source == 'later', 'claim %s is of %s', name,
    before and before.source or '')
  return {name = name, holder = holder, before = before, members = {}, has = {}}
end

local function take_all_declared(reader, holder)
  local count, members, grants, seen = take_number(reader, 'the number of grants'), 0, {}, {}
  need(count <= DECLARE_GRANTS_MAX, 'at most %d grants a call', DECLARE_GRANTS_MAX)
  for i = 1, count do
    grants[i] = take_declared(reader, holder)
    need(not seen[grants[i].name], 'grant %s is named twice', grants[i].name)
    seen[grants[i].name], members = true, members + grants[i].count
  end
  need(members <= DECLARE_MEMBERS_MAX, 'at most %d members a call', DECLARE_MEMBERS_MAX)
  return grants
end

-- Is the holder among the workers, or may that have been forgotten?
local function is_known_or_young(k, holder)
  local known = told_of(k.business, k.workers)
  return redis.call('HEXISTS', k.workers, holder) == 1 or known.seen < DECLARE_WAIT_MS
end

-- It is a worker (again). Where one name was forgotten, others may be: all wait for them.
local function write_holder(k, holder)
  if redis.call('HSETNX', k.workers, holder, 0) == 1 then
    local known = told[k.business]
    known.has_forgotten, known.waited = true, known.seen
  end
end

-- Takes all that was told, in this order: what is accepted leaves, what is uncertain is parked, and
-- then what is open finds its place.
local function take_tellings(book, holder, claim, tellings)
  for _, telling in ipairs(tellings) do
    local known = telling.declared.known
    if locate(book, telling.member).place == 'gone' then
      keep_id_of_gone(book, telling)
    end
    if telling.what ~= 'open' and not (known and words_have(known, telling.index)) then
      local take_it = telling.what == 'accepted' and declare_accepted or declare_uncertain
      take_it(book, holder, telling)
    end
  end
  for _, telling in ipairs(tellings) do
    if telling.what == 'open' then
      if is_still_open(book, holder, telling) then
        hold_open(book, holder, claim, telling)
      else
        words_clear(telling.declared.open, telling.index)
      end
    end
  end
end

-- (A B) holder, claim, uncertain_until, events_keep, dedupe_ttl, grants: what may have been
-- forgotten of a worker's grants and settles is done again, and what it has on the wire stands
-- where nobody else takes it. All else that it had claimed goes back.
local function declare(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local holder = take_holder(reader)
  need_types(k, 'workers', 'queue', 'urgent', 'replies', 'left', 'claims', 'returned', 'grants',
    'later', 'later_entries', 'later_held', 'uncertain', 'uncertain_entries', 'dead',
    'dead_members', 'dead_parked', 'exposed', 'proven', 'events', 'event_index')
  local claim = take_claim(reader, k, holder)
  local book, reply = open_book(k), {'ok'}
  book.until_ms = take_number(reader, 'uncertain_until')
  book.keep = take_number(reader, 'events_keep')
  book.ttl, book.now = take_number(reader, 'dedupe_ttl'), now_ms()
  need(book.ttl >= 1, 'dedupe_ttl must be at least 1 ms')
  local grants, tellings, names = take_all_declared(reader, holder), {}, {}
  take_end(reader)
  for _, grant in ipairs(grants) do
    read_declared(book, grant, tellings)
  end
  if not is_known_or_young(k, holder) then
    return {'fenced'}
  end
  for i, telling in ipairs(tellings) do
    names[i] = telling.member
  end
  read_proven(book, names)
  for _, telling in ipairs(tellings) do
    read_receipt(book, telling)
  end

  write_holder(k, holder)
  take_tellings(book, holder, claim, tellings)
  write_left(book)
  write_grants(book)
  for i, grant in ipairs(grants) do
    reply[i + 1] = write_open(k, grant, grant.open)
  end
  write_claim(book, claim)
  give_rest(book, holder)
  append_outcomes(k, book.outcomes, book.keep)
  return reply
end

register('declare', declare, 'allow-oom')

end

---- overdue: no receipt came in time ------------------------------------------------------------
do

local POLICIES = {park = 1, drop = 2, resend = 3}

-- Codes have a policy of their own: a late one is of no use.
local function is_code(waiting)
  local cell = type(waiting.cell) == 'string' and waiting.cell or ''
  return cell:match('^[^|]*|[^|]*|[^|]*|([^|]*)') == 'authentication'
end

local function park_overdue(k, member, waiting, now)
  write_dead(k, {member = member, fields = waiting.fields, type = 'uncertain',
    reason = waiting.reason, attempts = ('%.0f'):format(waiting.attempt),
    is_duplicate = waiting.possible_duplicate, history = history_of(waiting)}, now)
end

local function resend_overdue(k, member, waiting, now)
  redis.call('HSET', k.later_entries, member, waiting_record(('%.0f'):format(waiting.attempt), now,
    'no answer and no receipt came: it is sent again', past_extra(true, history_of(waiting)),
    waiting.fields))
  redis.call('ZADD', k.later, ('%.0f'):format(now), member)
end

local function drop_overdue(book, member, waiting, now)
  local function text(name)
    return type(waiting[name]) == 'string' and waiting[name] or ''
  end
  expire_id(book, text_in(waiting.fields, 'id'), member)
  book.outcomes[#book.outcomes + 1] = outcome_json('dropped', {member = member, at = now,
    cell = {cell = text('cell'), currency = text('currency'), price = '0'},
    attempt = ('%.0f'):format(waiting.attempt), fields = waiting.fields, reason = waiting.reason,
    is_duplicate = waiting.possible_duplicate})
end

-- (A B) policy, policy of codes, events_keep, dedupe_ttl, members_max: what becomes of members whose
-- receipt did not come in time. Their attempts stay exposed until one comes.
local function overdue(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local policy, codes_policy = take(reader, 'a policy'), take(reader, 'the policy of codes')
  local keep = take_number(reader, 'events_keep')
  local ttl = take_number(reader, 'dedupe_ttl')
  local most = take_number(reader, 'members_max')
  take_end(reader)
  need(POLICIES[policy] and POLICIES[codes_policy], 'park, drop or resend, not "%s" and "%s"',
    policy, codes_policy)
  need(most >= 1, 'members_max must be at least 1')
  need_types(k, 'uncertain', 'uncertain_entries', 'later', 'later_entries', 'dead', 'dead_members',
    'dead_parked', 'events', 'event_index')
  local book, now, counts = open_book(k), now_ms(), {0, 0, 0}
  book.ttl = ttl
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', k.uncertain, '-inf', ('%.0f'):format(now),
      'LIMIT', 0, math.min(most, OVERDUE_MAX))) do
    local record = redis.call('HGET', k.uncertain_entries, member)
    redis.call('ZREM', k.uncertain, member)
    if record then
      redis.call('HDEL', k.uncertain_entries, member)
      local waiting = read_waiting(record)
      local number = POLICIES[is_code(waiting) and codes_policy or policy]
      if number == POLICIES.park then
        park_overdue(k, member, waiting, now)
      elseif number == POLICIES.drop then
        drop_overdue(book, member, waiting, now)
      else
        resend_overdue(k, member, waiting, now)
      end
      counts[number] = counts[number] + 1
    end
  end
  append_outcomes(k, book.outcomes, keep)
  local next_until = redis.call('ZRANGE', k.uncertain, 0, 0, 'WITHSCORES')[2]
  return {'ok', counts[1], counts[2], counts[3], next_until and tonumber(next_until) or -1}
end

register('overdue', overdue, 'allow-oom')

end

---- dead: requeue and purge ---------------------------------------------------------------------
do

-- Dead entries by their ids in the stream. An id that is gone, or stands twice, has no entry.
local function read_dead(k, reader)
  local slice, found, seen = take_slice(reader, 'dead entries'), {}, {}
  need(slice.count <= DEAD_MAX, 'at most %d dead entries a call', DEAD_MAX)
  for i = slice.first, slice.last do
    local id = slice.args[i]
    need(id_of_entry(id, 'queue'), '"%s" is no id of a stream', id)
    local entry = not seen[id] and redis.call('XRANGE', k.dead, id, id)[1]
    found[#found + 1], seen[id] = {id = id, fields = entry and entry[2]}, true
  end
  return found
end

-- The member, and its original as a waiting record takes it; or nil and why not.
local function dead_original(fields)
  local member, original = nil, {}
  for i = 1, #fields, 2 do
    if fields[i] == 'entry' then
      member = fields[i + 1]
    elseif fields[i]:sub(1, 2) == 'o.' then
      original[#original + 1], original[#original + 2] = fields[i]:sub(3), fields[i + 1]
    end
  end
  if not member or not is_member(member) then
    return nil, 'it names no member'
  end
  local _, n = split_member(member)
  local first = #original == 2 and original[1]
  if #original == 0 or first == 'record' or first == 'fields' or (first == 'member') ~= (n ~= nil) then
    return nil, 'its original cannot be read'
  end
  if bulk_of(original) then
    return nil, 'it was refused as a whole bulk: enqueue its lines anew'
  end
  return member, original
end

-- A line of JSON with another not_before in it. (Inside of a value the quotes would be escaped.)
local function line_not_before(line, known, now)
  if known then
    return (line:gsub('"not_before"%s*:%s*"?%d+"?', '"not_before":' .. now, 1))
  end
  return (line:gsub('^(%s*{)', '%1"not_before":' .. now .. ',', 1))
end

-- Its age counts from now, unless its producer said when it expires: not_before is where age begins.
local function make_young(fields, now)
  local known = {}
  if fields[1] == 'member' then
    local good, line = pcall(cjson.decode, fields[2])
    known = good and type(line) == 'table' and line or {expires = true}
  else
    for i = 1, #fields, 2 do
      known[fields[i]] = fields[i + 1]
    end
  end
  local begins = known.not_before
  if type(begins) ~= 'number' then -- what is no time stays what it is, and is refused for it
    begins = tostring(begins):find('^%d+$') and tonumber(begins)
  end
  if known.expires ~= nil or (known.not_before ~= nil and not begins)
      or (begins and begins >= now) then
    return
  end
  local stamp = ('%.0f'):format(now)
  if fields[1] == 'member' then
    fields[2] = line_not_before(fields[2], begins, stamp)
    return
  end
  for i = 1, #fields, 2 do
    if fields[i] == 'not_before' then
      fields[i + 1] = stamp
      return
    end
  end
  fields[#fields + 1], fields[#fields + 2] = 'not_before', stamp
end

-- What a requeue answers for one dead entry; `taken`: members of this call.
local function judge_requeue(k, one, taken)
  if not one.fields then
    return 'gone'
  end
  local member, original = dead_original(one.fields)
  if not member then
    return 'no ' .. original
  end
  if taken[member] or redis.call('HEXISTS', k.later_entries, member) == 1
      or redis.call('HEXISTS', k.uncertain_entries, member) == 1 then
    return 'no it is under way already'
  end
  for i = 1, #one.fields, 2 do
    local name, value = one.fields[i], one.fields[i + 1]
    one.is_duplicate = one.is_duplicate or (name == 'type' and value == 'uncertain')
      or name == 'possible_duplicate'
  end
  one.member, one.original, taken[member] = member, original, true
  return 'ok'
end

local function log_dead(k, action, who, reason, members)
  if #members > 0 then
    redis.call('XADD', k.dead_log, '*', 'action', action, 'who', who, 'reason', reason, 'n',
      #members, 'entries', table.concat(members, ' '))
  end
end

-- (A B) who, reason, ids: dead entries wait again, due now, as if no attempt had been made; but what
-- may have reached its customer is flagged. One answer each: ok, gone, or no and why not.
local function requeue(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local who = take_words(reader, 'who', WHO_SIZE_MAX)
  local reason = take_words(reader, 'the reason', WHY_SIZE_MAX)
  need_types(k, 'dead', 'dead_log', 'dead_members', 'dead_parked', 'later', 'later_entries',
    'uncertain_entries', 'bell')
  local found = read_dead(k, reader)
  take_end(reader)
  local now, answers, taken, members = now_ms(), {}, {}, {}
  for i, one in ipairs(found) do
    answers[i] = judge_requeue(k, one, taken)
  end
  for i, one in ipairs(found) do
    if answers[i] == 'ok' then
      make_young(one.original, now)
      redis.call('HSET', k.later_entries, one.member,
        waiting_record('0', now, 'requeued', past_extra(one.is_duplicate, {}), one.original))
      redis.call('ZADD', k.later, ('%.0f'):format(now), one.member)
      redis.call('XDEL', k.dead, one.id)
      forget_dead(k, one.member)
      members[#members + 1] = one.member
    end
  end
  log_dead(k, 'requeue', who, reason, members)
  if #members > 0 then
    ring(k, 'requeued')
  end
  return answers
end

-- The value of one of a dead entry's fields, or nil.
local function dead_value(fields, name)
  for i = 1, #fields, 2 do
    if fields[i] == name then
      return fields[i + 1]
    end
  end
end

-- The producer's id in a dead entry, or nil.
local function dead_id(fields)
  local line = dead_value(fields, 'o.member')
  local good, member = pcall(cjson.decode, line or '')
  local id = good and type(member) == 'table' and member.id or dead_value(fields, 'o.id')
  return type(id) == 'string' and #id >= 1 and #id <= ID_SIZE_MAX and id or nil
end

-- (A B) who, reason, dedupe_ttl, ids: dead entries go for good. One answer each: ok or gone.
local function purge(keys, args)
  local k = account_keys(keys)
  local reader = reader_of(args)
  local who = take_words(reader, 'who', WHO_SIZE_MAX)
  local reason = take_words(reader, 'the reason', WHY_SIZE_MAX)
  local ttl = take_number(reader, 'dedupe_ttl')
  need_types(k, 'dead', 'dead_log', 'dead_members', 'dead_parked')
  local found = read_dead(k, reader)
  take_end(reader)
  local answers, members = {}, {}
  for i, one in ipairs(found) do
    answers[i] = one.fields and 'ok' or 'gone'
    if one.fields then
      local member, id = dead_value(one.fields, 'entry'), dead_id(one.fields)
      redis.call('XDEL', k.dead, one.id)
      members[#members + 1] = member
      forget_dead(k, member or '')
      if id and redis.call('MGET', k.id .. id)[1] == member then
        redis.call('PEXPIRE', k.id .. id, ttl)
      end
    end
  end
  log_dead(k, 'purge', who, reason, members)
  return answers
end

register('requeue', requeue, 'allow-oom')
register('purge', purge, 'allow-oom')

end

---- why: where is it ----------------------------------------------------------------------------
do

-- What a waiting record says besides its fields. The price is digits: never through a double.
local function tell_record(reply, record)
  local good, waiting = pcall(cjson.decode, record)
  if not good or type(waiting) ~= 'table' then
    return
  end
  for _, name in ipairs({'attempt', 'at'}) do
    if type(waiting[name]) == 'number' then
      reply[name] = ('%.0f'):format(waiting[name])
    end
  end
  for _, name in ipairs({'reason', 'grant', 'day', 'cell', 'currency'}) do
    if type(waiting[name]) == 'string' then
      reply[name] = waiting[name]
    end
  end
  reply.price = record:match('"price":(%d+)')
  reply.possible_duplicate = waiting.possible_duplicate == true and 1 or nil
end

local function look_in_uncertain(k, member, reply)
  local record = redis.call('HGET', k.uncertain_entries, member)
  if not record then
    return false
  end
  tell_record(reply, record)
  reply.place, reply['until'] = 'uncertain', redis.call('ZSCORE', k.uncertain, member) or '0'
  return true
end

local function look_in_grants(k, member, reply)
  local all = redis.call('HGETALL', k.grants)
  for i = 1, #all, 2 do
    if all[i]:sub(-1) ~= '#' and all[i + 1]:find('\n' .. member .. '\t', 1, true) then
      local held = read_grant_head(all[i + 1])
      local bitmap = redis.call('HGET', k.grants, all[i] .. '#') or ''
      each_member(held, function(index, name, attempt, cell)
        if name == member and not bitmap_has(bitmap, index) then
          reply.place, reply.grant, reply.attempt = 'granted', all[i], attempt
          reply.at, reply.holder = all[i + 1]:match('^%x+\t(%d+)'), held.holder
          reply.price, reply.currency = cell.price, cell.currency
        end
        return name == member
      end)
      if reply.place then
        return true
      end
    end
  end
  return false
end

-- Who holds a claim, and since when.
local function tell_claim(k, name, record, reply)
  reply.place, reply.claim = 'claimed', name
  reply.holder, reply.at = record:match('^(%x+)\t.*\t(%d+)$')
end

local function look_in_later(k, member, reply)
  local record = redis.call('HGET', k.later_entries, member)
  if not record then
    return false
  end
  tell_record(reply, record)
  local name = redis.call('HGET', k.later_held, member)
  local claim = name and redis.call('HGET', k.claims, name)
  if claim then
    tell_claim(k, name, claim, reply)
  else
    reply.place, reply.due = 'later', redis.call('ZSCORE', k.later, member) or '0'
  end
  return true
end

local function look_in_claims(k, source, id, reply)
  local all = redis.call('HGETALL', k.claims)
  for i = 1, #all, 2 do
    local held = read_claim(all[i], all[i + 1])
    if held.source == source and not is_earlier(id, held.first)
        and not is_earlier(held.last, id) then
      tell_claim(k, all[i], all[i + 1], reply)
      return true
    end
  end
  return false
end

-- Behind the cursor, or in a range that was given back; otherwise nobody would ever take it.
local function look_before_claims(k, source, id, reply)
  reply.place = 'waiting'
  for _, record in ipairs(redis.call('LRANGE', k.returned, 0, -1)) do
    local name, from, to = record:match('^(%l+)\t([^\t]+)\t([^\t]+)$')
    if name == source and not is_earlier(id, from) and not is_earlier(to, id) then
      reply.ahead = #redis.call('XRANGE', k[source], from, '(' .. id, 'COUNT', AHEAD_MAX)
      return
    end
  end
  local cursor = redis.call('HGET', k.cursor, source)
  if cursor and not is_earlier(cursor, id) then
    reply.place = 'stray'
    return
  end
  reply.ahead = #redis.call('XRANGE', k[source], cursor and '(' .. cursor or '-', '(' .. id, 'COUNT',
    AHEAD_MAX)
end

local function look_in_streams(k, member, reply)
  local book, entry, n = open_book(k), split_member(member)
  for source, prefix in pairs(PREFIX) do
    local id = entry:sub(1, #prefix) == prefix and entry:sub(#prefix + 1)
    id = id and id_of_entry(id, 'queue')
    local found = id and redis.call('XRANGE', k[source], id, id)[1]
    if found then
      local bulk = bulk_of(found[2])
      local left, total = left_of(book, entry), bulk and #bulk_lines(bulk) or 0
      if n and (n < 1 or n > math.min(total, BULK_MAX) or masks_meet(left, mask_single(n))) then
        return false
      end
      reply.source = source
      if bulk and not n then
        reply.members, reply.left = total, count_bits(mask_hex(left))
      end
      if not look_in_claims(k, source, id, reply) then
        look_before_claims(k, source, id, reply)
      end
      return true
    end
  end
  return false
end

local function look_in_dead(k, member, reply)
  local id = redis.call('HGET', k.dead_members, member)
  if not id or not redis.call('XRANGE', k.dead, id, id)[1] then
    return false
  end
  reply.place, reply.dead = 'dead', id
  return true
end

-- Attempts that were accepted while the member is claimed again: it will not be sent.
local function look_in_proven(k, member, reply)
  local line = redis.call('HGET', k.proven, member)
  reply.proven = line and line:match('^[^\n]*') or nil
end

local function look_everywhere(k, member, reply)
  look_in_proven(k, member, reply)
  return look_in_uncertain(k, member, reply) or look_in_grants(k, member, reply)
    or look_in_later(k, member, reply) or look_in_dead(k, member, reply)
    or look_in_streams(k, member, reply)
end

-- (A B) a member, an ENTRY or a producer's id: where it is, what it waits for. [name, value, …].
-- An entry of dead, by the id that is given, and what had its outcome is for the caller to look up:
-- those can be long.
local function why(keys, args)
  local k = account_keys(keys)
  local name = args[1]
  need(#args == 1 and #name >= 1 and #name <= ID_SIZE_MAX, 'one name of 1 to %d bytes', ID_SIZE_MAX)
  need_types(k, 'workers', 'queue', 'urgent', 'replies', 'later', 'later_entries', 'later_held',
    'cursor', 'claims', 'returned', 'left', 'grants', 'uncertain', 'uncertain_entries', 'state',
    'dead', 'dead_members', 'proven')
  local reply = {member = is_member(name) and name or nil}
  if not (reply.member and look_everywhere(k, name, reply)) then
    local owner = redis.call('MGET', k.id .. name)[1]
    if owner then
      reply = {member = owner, id = name}
      look_everywhere(k, owner, reply)
    end
  end
  local state = redis.call('HMGET', k.state, 'paused', 'who', 'reason', 'at', 'stopped', 'stop_code',
    'stop_reason', 'stop_at', 'throttled_for')
  local now = now_ms()
  if state[1] == '1' then
    reply.paused_by, reply.paused_for, reply.paused_at = state[2], state[3], state[4]
  end
  if state[5] == '1' then
    reply.stopped_code, reply.stopped_for, reply.stopped_at = state[6], state[7], state[8]
  end
  if throttled_until(k) > now then
    reply.throttled_until, reply.throttled_for = ('%.0f'):format(throttled_until(k)), state[9]
  end
  reply.now, reply.workers = ('%.0f'):format(now), redis.call('HLEN', k.workers)
  reply.place = reply.place or 'none'
  local flat = {}
  for field, value in pairs(reply) do
    flat[#flat + 1], flat[#flat + 2] = field, tostring(value)
  end
  return flat
end

register('why', why, 'no-writes')

end

---- enqueue -------------------------------------------------------------------------------------
do

local FIELDS = {to = true, recipient = true, template = true, lang = true, params = true, id = true,
  text = true, in_reply_to = true, not_before = true, expires = true, ref = true}

-- Reads the fields into a table, and refuses what is unknown, doubled or too large.
local function read_fields(args)
  local fields, size = {}, 0
  need(#args > 1 and #args % 2 == 1, 'fields and values come in pairs')
  need(#args <= 1 + 2 * FIELDS_MAX, 'more than %d fields', FIELDS_MAX)
  for i = 2, #args, 2 do
    local name = args[i]
    need(FIELDS[name] or name == 'bulk' or name:find('^[1-9]%d?$') or name:find('^p%..'),
      'field "%s": unknown (p. in front makes it a parameter)', name:sub(1, 64))
    need(not fields[name], 'field %s: stands twice', name)
    fields[name] = args[i + 1]
    size = size + #name + #args[i + 1]
  end
  need(size <= ENTRY_SIZE_MAX, 'the fields have %d bytes, more than %d', size, ENTRY_SIZE_MAX)
  return fields
end

local function need_recipient(fields)
  need(fields.to or fields.recipient, 'field to: is needed (or recipient)')
  need(not (fields.to and fields.recipient), 'field recipient: not together with to')
  if fields.recipient then
    need(fields.recipient ~= '', 'field recipient: is empty')
    return
  end
  local digits = fields.to:gsub('[ .()-]', ''):gsub('^%+', '')
  need(not digits:find('^0'), 'field to: "%s" must begin with + and the country code',
    fields.to:sub(1, 32))
  need(digits:find('^%d+$') and #digits >= 5 and #digits <= 15,
    'field to: "%s" is not a phone number like +33612345678', fields.to:sub(1, 32))
end

-- Either numbered or named parameters; `params` says all that plain fields cannot.
local function need_parameters(fields)
  local numbered, named
  for name in pairs(fields) do
    numbered = numbered or name:find('^%d') and name
    named = named or name:find('^p%.') and name
  end
  need(not (numbered and named), 'field %s: not together with %s', tostring(named),
    tostring(numbered))
end

local function need_content(fields, stream)
  local is_reply = fields.text or fields.in_reply_to
  need(not is_reply or stream == 'replies', 'field %s: only in replies',
    fields.text and 'text' or 'in_reply_to')
  if is_reply then
    need((fields.text or '') ~= '', 'field text: is needed')
    need((fields.in_reply_to or '') ~= '', 'field in_reply_to: is needed')
    need(not fields.template, 'field template: not together with text')
    return
  end
  need((fields.template or '') ~= '', 'field template: is needed')
  need((fields.lang or '') ~= '', 'field lang: is needed')
end

local function need_times(fields)
  for _, name in ipairs({'not_before', 'expires'}) do
    local value = fields[name]
    need(not value or (#value <= 15 and value:find('^%d+$')),
      'field %s: "%s" is not Unix milliseconds', name, tostring(value):sub(1, 32))
  end
  need(not (fields.expires and fields.not_before)
    or tonumber(fields.expires) > tonumber(fields.not_before),
    'field expires: is not after not_before')
end

local function need_notification(fields, stream)
  need_recipient(fields)
  need_content(fields, stream)
  need_parameters(fields)
  need_times(fields)
  need(not fields.id or (fields.id ~= '' and #fields.id <= ID_SIZE_MAX
    and not fields.id:find('%c')), 'field id: 1 to %d bytes, no control characters', ID_SIZE_MAX)
  need(not fields.ref or #fields.ref <= ID_SIZE_MAX, 'field ref: at most %d bytes', ID_SIZE_MAX)
end

-- A bulk entry stands alone; its lines are judged by the worker.
local function need_bulk(fields, args)
  need(#args == 3, 'field bulk: stands alone')
  local lines = bulk_lines(fields.bulk)
  need(#lines <= BULK_MAX, 'field bulk: %d lines, more than %d', #lines, BULK_MAX)
  for i, line in ipairs(lines) do
    need(line:find('%S'), 'field bulk: line %d is empty', i)
  end
end

-- A scheduled notification has the name it would have had in the stream: it is taken from there.
local function schedule(k, stream, fields, args, now)
  local id = redis.call('XADD', k[stream], '*', 'scheduled', '')
  redis.call('XDEL', k[stream], id)
  local entry, flat = PREFIX[stream] .. id, {}
  for i = 2, #args do
    flat[i - 1] = args[i]
  end
  redis.call('HSET', k.later_entries, entry, waiting_record('0', now, 'not_before', '', flat))
  redis.call('ZADD', k.later, fields.not_before, entry)
  return entry
end

-- What Redis had used when it was last asked.
local memory = {at = 0}

-- {'full', used, limit} in bytes when Redis is about to be, so that what is in it can be finished;
-- or nil. Without maxmemory it never is.
local function fullness(now)
  if now < memory.at or now - memory.at >= MEMORY_LOOK_MS then
    local good, info = pcall(redis.call, 'INFO', 'memory')
    info = good and type(info) == 'string' and info or ''
    local function bytes(name)
      return tonumber(info:match(name .. ':(%d+)')) or 0
    end
    memory = {at = now, limit = math.floor(FULL_SHARE * bytes('maxmemory')),
      used = bytes('used_memory') - bytes('mem_not_counted_for_evict')}
  end
  if memory.limit > 0 and memory.used > memory.limit then
    return {'full', memory.used, memory.limit}
  end
end

-- (A B) stream, field, value, …: the way in that answers at once.
local function enqueue(keys, args)
  local k = account_keys(keys)
  local stream = args[1]
  need(stream and PREFIX[stream], 'the stream is queue, urgent or replies')
  local fields = read_fields(args)
  if fields.bulk then
    need_bulk(fields, args)
  else
    need_notification(fields, stream)
  end
  need_types(k, stream, 'later', 'later_entries', 'bell')
  local id_key = fields.id and k.id .. fields.id
  if id_key then
    need_type(id_key, 'string')
    local owner = redis.call('GET', id_key)
    if owner then
      return {'duplicate', owner}
    end
  end
  local now, entry, reply = now_ms(), nil, nil
  local full = fullness(now)
  if full then
    return full
  end
  if fields.not_before and tonumber(fields.not_before) > now then
    entry = schedule(k, stream, fields, args, now)
    if redis.call('ZRANGE', k.later, 0, 0)[1] == entry then
      ring(k, 'scheduled') -- nobody knows of a time as early as this
    end
    reply = {'scheduled', entry, tonumber(fields.not_before)}
  else
    entry = PREFIX[stream] .. redis.call('XADD', k[stream], '*', unpack(args, 2))
    reply = {'queued', entry}
  end
  if id_key then
    redis.call('SET', id_key, entry)
  end
  return reply
end

register('enqueue', enqueue)

end

---- stats ---------------------------------------------------------------------------------------
do

-- Entries and members in a range of a stream, read in pages.
local function count_range(book, source, first, last)
  local entries, members, from = 0, 0, first
  repeat
    local found = redis.call('XRANGE', book.k[source], from, last, 'COUNT', PAGE_MAX)
    for _, entry in ipairs(found) do
      local bulk = bulk_of(entry[2])
      entries, members = entries + 1, members + 1
      if bulk then
        local left = count_bits(mask_hex(left_of(book, PREFIX[source] .. entry[1])))
        members = members + math.max(0, #bulk_lines(bulk) - left - 1)
      end
    end
    from = #found > 0 and '(' .. found[#found][1]
  until #found < PAGE_MAX
  return entries, members
end

-- What is claimed: entries by source, and members in all.
local function count_claims(book)
  local entries, members = {queue = 0, urgent = 0}, redis.call('HLEN', book.k.later_held)
  for _, record in ipairs(redis.call('HVALS', book.k.claims)) do
    local held = read_claim('', record)
    if held.source ~= 'later' then
      local count, inside = count_range(book, held.source, held.first, held.last)
      entries[held.source], members = entries[held.source] + count, members + inside
    end
  end
  return entries, members
end

local function count_granted(k)
  local all = redis.call('HGETALL', k.grants)
  local count = 0
  for i = 1, #all, 2 do
    if all[i]:sub(-1) == '#' then
      count = count - count_bits(all[i + 1])
    else
      count = count + read_grant_head(all[i + 1]).count
    end
  end
  return count
end

-- When the oldest came that could be sent now, or nil.
local function oldest_of(k, now)
  local oldest
  local function consider(ms)
    if ms and ms <= now and (not oldest or ms < oldest) then
      oldest = ms
    end
  end
  local function consider_range(source, from, to)
    local found = redis.call('XRANGE', k[source], from, to, 'COUNT', 1)[1]
    consider(found and tonumber(found[1]:match('^%d+')))
  end
  for _, source in ipairs({'queue', 'urgent'}) do
    local cursor = redis.call('HGET', k.cursor, source)
    consider_range(source, cursor and '(' .. cursor or '-', '+')
  end
  for _, record in ipairs(redis.call('LRANGE', k.returned, 0, RETURNED_LOOK - 1)) do
    consider_range(record:match('^(%l+)\t([^\t]+)\t([^\t]+)$'))
  end
  local due = redis.call('ZRANGE', k.later, 0, 0, 'WITHSCORES')[2]
  consider(due and tonumber(due))
  return oldest
end

-- Outcomes a second, in thousandths, of the last RATE_MS. The index of the events is in the order of
-- their times too, so it is searched by halves; an event itself is large and hardly ever read.
local function rate_of(k, now)
  local function index_at(i)
    local upto, ms = redis.call('LINDEX', k.event_index, i):match('^(%d+) (%d+)')
    return tonumber(upto), tonumber(ms)
  end
  local count, since, before = redis.call('LLEN', k.event_index), now - RATE_MS, 0
  local low, high = 0, count
  while low < high do
    local middle = math.floor((low + high) / 2)
    if select(2, index_at(middle)) > since then
      high = middle
    else
      low = middle + 1
    end
  end
  if low == count then
    return 0
  elseif low > 0 then
    before = index_at(low - 1)
  else
    local first = redis.call('XRANGE', k.events, '-', '+', 'COUNT', 1)[1]
    local upto, ms = index_at(0)
    if not first or tonumber(first[2][2]) ~= upto then
      before, since = upto, ms -- those before are forgotten already
    end
  end
  return math.floor(1000 * 1000 * (index_at(-1) - before) / math.max(now - since, 1))
end

-- (A B): the numbers of `facteur queue stats`.
local function stats(keys)
  local k = account_keys(keys)
  need_types(k, 'queue', 'urgent', 'cursor', 'claims', 'returned', 'left', 'grants', 'later',
    'later_held', 'uncertain', 'dead', 'dead_parked', 'state', 'exposed', 'events', 'event_index')
  local book, now = open_book(k), now_ms()
  local entries, members = count_claims(book)
  local granted = count_granted(k)
  local oldest = oldest_of(k, now)
  local state = redis.call('HMGET', k.state, 'paused', 'stopped')
  return {'waiting', redis.call('XLEN', k.queue) - entries.queue,
    'urgent', redis.call('XLEN', k.urgent) - entries.urgent,
    'claimed', math.max(0, members - granted), 'granted', granted,
    'later', redis.call('ZCARD', k.later), 'uncertain', redis.call('ZCARD', k.uncertain),
    'dead', redis.call('XLEN', k.dead), 'parked', redis.call('HLEN', k.dead_parked),
    'exposed', redis.call('HLEN', k.exposed),
    'oldest_ms', oldest and now - oldest or 0, 'rate_milli', rate_of(k, now),
    'paused', state[1] == '1' and 1 or 0, 'stopped', state[2] == '1' and 1 or 0,
    'throttled', throttled_until(k) > now and 1 or 0}
end

register('stats', stats, 'no-writes')

end
