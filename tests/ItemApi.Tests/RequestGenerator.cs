using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Failover.ItemApi.Tests;

/// <summary>A drawn request.</summary>
/// <param name="Id">The item that it is about; null where it is about none.</param>
/// <param name="Sent">The body's content where it is an object that must be taken; null where nobody knows.</param>
internal sealed record DrawnRequest(string Method, string Path, byte[]? Body, (string, string?)[] Headers, string? Id, JsonObject? Sent);

/// <summary>Draws requests: by a grammar that makes what the API takes, and by mutations that make anything.</summary>
internal sealed class RequestGenerator(int seed, string prefix)
{
    private const int Ids = 12;

    private static readonly string[] Strings =
    [
        "", "a", "ü", "😀", "\0", "\u001b[31m", "\r\n", "\"\\\\/", "'; DROP TABLE", "<script>", "{{7*7}}", "%s%n", "../..", "\u202e", "\ufeff", "e\u0301", "\u00e9", "#v", ":v", "_v", "__proto__", "attribute_exists(id)",
        "SET a = :a", "NULL", "true", "0", "\ud7ff\ue000\uffff", "size", "\u2028",
    ];

    private static readonly string[] Headers = ["If-Match", "If-None-Match", "Idempotency-Key", "Item-Expires-At", "Content-Type", "Content-Encoding", "traceparent", "Accept", "Cookie", "X-Junk"];

    private static readonly string[] Values =
    [
        "*", "\"a\"", "W/\"a\", \"b\"", "never", "2999-01-01T00:00:00Z", "application/json", "application/merge-patch+json", "text/plain", "gzip", "", "\"", "a,b;c", "key-1", new('x', 300), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "\u00fc", "a=b; c",
    ];

    private readonly Random _random = new(seed);

    public DrawnRequest Next()
    {
        var id = $"{prefix}-{_random.Next(Ids)}{Pick("", "/ü", " +&")}";
        var byPath = id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
        var address = byPath && _random.Next(3) > 0 ? "/items/" + id : "/items?id=" + Uri.EscapeDataString(id);
        switch (_random.Next(20))
        {
            case < 5:
                return new DrawnRequest(Pick("GET", "HEAD"), address + (_random.Next(4) == 0 ? (address.Contains('?', StringComparison.Ordinal) ? "&" : "?") + "consistent=true" : ""), null, Some(["If-Match", "If-None-Match"]), id, null);
            case < 10:
                var item = Object(_random.Next(4));
                return new DrawnRequest("PUT", address, Bytes(item), Some(["If-Match", "If-None-Match", "Item-Expires-At"]), id, item);
            case < 12:
                return new DrawnRequest("PATCH", address, Bytes(Object(_random.Next(3))), Some(["If-Match", "Item-Expires-At"]), id, null);
            case < 13:
                return new DrawnRequest("DELETE", address, null, Some(["If-Match"]), id, null);
            case < 14:
                return new DrawnRequest("POST", "/items", Bytes(Object(_random.Next(3))), Some(["Idempotency-Key"]), null, null);
            case < 15:
                return new DrawnRequest("GET", $"/items?limit={_random.Next(-1, 30)}{(_random.Next(3) == 0 ? "&cursor=" + Uri.EscapeDataString(Text()) : "")}", null, [], null, null);
            case < 16:
                return new DrawnRequest(Pick("GET", "POST", "PUT", "OPTIONS", "BREW"), Pick("/", "/?id=" + Uri.EscapeDataString(id), "/health/ready", "/health/live", "/nothing", "/items/" + Uri.EscapeDataString(Text()), "/items?" + Query(), "/items//"), null, Some(Headers), null, null);
            default:
                // Anything: a body that was one once, and whatever headers.
                return new DrawnRequest(Pick("PUT", "PATCH", "POST"), _random.Next(3) == 0 ? "/items" : address, Mutated(Bytes(Object(_random.Next(4)))), Some(Headers), id, null);
        }
    }

    private string Pick(params string[] choices) => choices[_random.Next(choices.Length)];

    private string Query() => string.Join('&', Enumerable.Range(0, _random.Next(4)).Select(_ => Pick("id", "limit", "cursor", "consistent", "x", "%69d", "") + Pick("=", "", "==") + Pick("1", "true", "%", "%ff", "%00", "a", "+")));

    private (string, string?)[] Some(string[] names) => _random.Next(3) > 0 ? [] : [.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => names[_random.Next(names.Length)]).Distinct().Select(name => (name, (string?)Pick(Values)))];

    private JsonObject Object(int depth)
    {
        var made = new JsonObject();
        for (var i = _random.Next(5); i > 0; i--)
        {
            var name = Pick("a", "b", "deep", "name", "list") + (_random.Next(6) == 0 ? Text() : "");
            made[name] = Value(depth);
        }

        return made;
    }

    private JsonNode? Value(int depth) => _random.Next(depth > 0 ? 8 : 6) switch
    {
        0 => null,
        1 => JsonValue.Create(_random.Next(2) == 0),
        2 or 3 => JsonNode.Parse(Number()),
        4 or 5 => JsonValue.Create(Text()),
        6 => new JsonArray([.. Enumerable.Range(0, _random.Next(4)).Select(_ => Value(depth - 1))]),
        _ => Object(depth - 1),
    };

    private string Text() => _random.Next(3) == 0 ? new string((char)_random.Next(0x20, 0xd7ff), _random.Next(5)) : Pick(Strings);

    private string Number() => _random.Next(5) switch
    {
        0 => _random.NextInt64().ToString(CultureInfo.InvariantCulture),
        1 => $"{_random.Next(-1000, 1000)}.{_random.Next(1000)}",
        2 => $"{_random.Next(1, 999)}e{_random.Next(-120, 120)}",
        3 => string.Concat(Enumerable.Range(0, _random.Next(1, 38)).Select(_ => (char)('1' + _random.Next(9)))),
        _ => Pick("0", "-0", "1.10", "0.1", "9007199254740993", "1e125", "1e-130"),
    };

    private static byte[] Bytes(JsonObject item) => Encoding.UTF8.GetBytes(item.ToJsonString());

    private byte[] Mutated(byte[] body)
    {
        var bytes = body.ToList();
        for (var i = _random.Next(1, 5); i > 0; i--)
        {
            var at = _random.Next(bytes.Count + 1);
            switch (_random.Next(5))
            {
                case 0 when at < bytes.Count:
                    bytes[at] = (byte)_random.Next(256);
                    break;
                case 1 when at < bytes.Count:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pick("{", "}", "[", "]", ",", ":", "\"", "\\\\u", "\\\\ud800", "//", "1e999", "\"_v\":1,", "\"a\":1,", "\0", new string('[', 40), "null", "\"id\":\"x\",")));
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    bytes.Insert(at, (byte)_random.Next(256));
                    break;
            }
        }

        return [.. bytes];
    }
}
