-- Sends a key drawn at random with each request; tells at the end what was answered.

local keys, count
-- A key and its end of line: all keys of the file are of one length.
local stride

function init(arguments)
    local file = assert(io.open(arguments[1], "rb"))
    -- One text, not a table: drawing a key from it costs the same with a million of them.
    keys = file:read("*a")
    file:close()
    stride = keys:find("\n", 1, true)
    count = #keys / stride
    -- Each round draws other keys, and a repeated run the same.
    math.randomseed(tonumber(arguments[2]))
end

-- What wrk.format would put together anew for each request, at many times the price. The key is in
-- the middle, because LuaJIT hashes a text by a few of its bytes: the ends and the middle.
local head = "GET /v1/users HTTP/1.1\r\nAuthorization: Bearer "
local tail = "\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n"

function request()
    local start = math.random(0, count - 1) * stride
    return head .. keys:sub(start + 1, start + stride - 1) .. tail
end

function done(summary)
    local errors = summary.errors
    local broken = errors.connect + errors.read + errors.write + errors.timeout
    local told = "answered %d refused %d broken %d\n"
    io.write(told:format(summary.requests, errors.status, broken))
end
