using System.Text.Json;
using System.Text.Json.Serialization;

namespace Failover.LocalHost.Network;

/// <summary>A fault as somebody asks for it, checked.</summary>
internal static class FaultRequest
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false) },
    };

    /// <summary>The fields that each kind takes; those with <c>!</c> it needs.</summary>
    private static readonly Dictionary<string, string[]> Fields = new()
    {
        ["region-down"] = ["region!", "mode"],
        ["endpoint-down"] = ["endpoint!", "mode"],
        ["endpoint-flap"] = ["endpoint!", "mode", "periodMs!"],
        ["observer-isolated"] = ["region!"],
        ["control-slow"] = ["region", "ms!"],
        ["control-conflict"] = ["region", "share"],
        ["control-lost-answer"] = ["region", "share"],
        ["replication-pause"] = ["from", "to"],
        ["replication-lag"] = ["from", "to", "lagMs!"],
        ["replication-drop"] = ["from", "to", "share"],
        ["replication-corrupt"] = ["from", "to", "share"],
        ["dns-api-down"] = ["mode"],
        ["dns-server-silent"] = ["server!"],
        ["tick-queue-down"] = ["region"],
    };

    /// <summary>Reads it; the text says what is wrong otherwise.</summary>
    public static (Fault? Fault, string? Mistake) Read(JsonElement json, IReadOnlyList<string> regions, IReadOnlyList<string> replicas, IReadOnlyList<string> endpoints)
    {
        Wire? wire;
        try
        {
            wire = json.Deserialize<Wire>(Options);
        }
        catch (JsonException error)
        {
            return (null, error.Message);
        }

        if (wire?.Kind is not { } kind || !Fields.TryGetValue(kind, out var fields))
        {
            return (null, $"kind is '{wire?.Kind}'; it is one of {string.Join(", ", Fields.Keys)}.");
        }

        var given = json.EnumerateObject().Where(member => member.Value.ValueKind != JsonValueKind.Null).Select(member => member.Name).Where(name => name != "kind").ToList();
        if (given.FirstOrDefault(name => !fields.Contains(name) && !fields.Contains(name + "!")) is { } extra)
        {
            return (null, $"{kind} takes no '{extra}'; it takes {string.Join(", ", fields.Select(field => field.TrimEnd('!')))}.");
        }

        if (fields.FirstOrDefault(field => field.EndsWith('!') && !given.Contains(field.TrimEnd('!'))) is { } missing)
        {
            return (null, $"{kind} needs '{missing.TrimEnd('!')}'.");
        }

        if (new[] { wire.Region, wire.From, wire.To }.FirstOrDefault(region => region is not null && !regions.Contains(region)) is { } unknown)
        {
            return (null, $"'{unknown}' is no region; there are {string.Join(", ", regions)}.");
        }

        if (new[] { wire.From, wire.To }.FirstOrDefault(region => region is not null && !replicas.Contains(region)) is { } bare)
        {
            return (null, $"'{bare}' holds no replica; {string.Join(" and ", replicas)} do.");
        }

        if (wire.Endpoint is not null && !endpoints.Contains(wire.Endpoint))
        {
            return (null, $"'{wire.Endpoint}' is no endpoint; there are {string.Join(", ", endpoints)}.");
        }

        return OutOfRange(wire) is { } range ? (null, range) : (wire.ToFault(kind), null);
    }

    private static string? OutOfRange(Wire wire) => wire switch
    {
        { Share: < 0 or > 1 } => $"share is 0 to 1, not {wire.Share}.",
        { Ms: < 0 or > 60_000 } => $"ms is 0 to 60000, not {wire.Ms}.",
        { PeriodMs: < 100 or > 3_600_000 } => $"periodMs is 100 to 3600000, not {wire.PeriodMs}.",
        { LagMs: < 0 or > 3_600_000 } => $"lagMs is 0 to 3600000, not {wire.LagMs}.",
        { Server: < 1 or > Ports.DnsServers } => $"server is 1 to {Ports.DnsServers}, not {wire.Server}.",
        _ => null,
    };

    private sealed record Wire(
        string? Kind, string? Region, string? Endpoint, string? From, string? To, FaultMode? Mode, double? Share, int? LagMs, int? Ms,
        int? PeriodMs, int? Server)
    {
        public Fault ToFault(string kind) => new("", kind)
        {
            Region = Region,
            Endpoint = Endpoint,
            From = From,
            To = To,
            Mode = Mode,
            Share = Share,
            LagMs = LagMs,
            Ms = Ms,
            PeriodMs = PeriodMs,
            Server = Server,
        };
    }
}
