using Failover.Hosting;

namespace Failover.ItemApi;

/// <summary>Which regions take writes.</summary>
public enum WriteMode
{
    /// <summary>All. Two regions that write one item at once are told of by the audit.</summary>
    ActiveActive,

    /// <summary>The one whose endpoint serves the name, by a lease on the register.</summary>
    ActivePassive,
}

/// <summary>What a region does that has just been made active.</summary>
public enum LeasePreference
{
    /// <summary>It waits until the region before has stopped: nothing is written in two regions at once.</summary>
    PreferData,

    /// <summary>It writes at once: for the length of a lease two regions may write.</summary>
    PreferAvailability,
}

/// <summary>What the function is told by its environment.</summary>
/// <param name="Region">The region of the replica that it serves from.</param>
/// <param name="CallTimeout">The deadline of one call to DynamoDB.</param>
/// <param name="RequestTimeout">The deadline of a request, in which it is answered whatever happens; Lambda's own, where that is shorter.</param>
/// <param name="ClockAheadMax">How far a version of an item may lie ahead of this process's clock.</param>
/// <param name="ReplicaRegions">All regions with a replica; empty: not known, and no lag is told.</param>
/// <param name="ObserverRegions">Those of the observers, whose heartbeats measure it.</param>
/// <param name="ServiceName">The name that is served; null: not known, and no epoch is told.</param>
/// <param name="ServiceEndpoints">The endpoints of the service that are served from this replica.</param>
/// <param name="ControlRegion">The control region whose replica of the register is read: the nearest.</param>
/// <param name="IsOpen">Everybody may do everything: <c>AUTHORIZATION=off</c>.</param>
/// <param name="Listen">Where Kestrel listens: an address and a port, or <c>unix:</c> and a path.</param>
public sealed record ItemApiOptions(
    string Region,
    string ItemsTable,
    TimeSpan CallTimeout,
    TimeSpan RequestTimeout,
    TimeSpan ClockAheadMax,
    IReadOnlyList<string> ReplicaRegions,
    IReadOnlyList<string> ObserverRegions,
    string? ServiceName,
    IReadOnlySet<string> ServiceEndpoints,
    string ControlTable,
    string ControlRegion,
    WriteMode WriteMode,
    TimeSpan WriteLease,
    LeasePreference LeasePreference,
    bool IsOpen,
    string? JwtIssuer,
    string? JwtAudience,
    Uri? JwksUrl,
    string ReadScope,
    string WriteScope,
    string Listen)
{
    /// <summary>Reads and validates all of it.</summary>
    /// <param name="isLambda">In Lambda API Gateway has verified the token, and there is nothing to listen to.</param>
    /// <exception cref="InvalidOperationException">A setting is missing or wrong.</exception>
    public static ItemApiOptions Read(Settings settings, bool isLambda)
    {
        var region = settings.Required("AWS_REGION", "the region that the function runs in; Lambda sets it");
        var mode = settings.Choice("WRITE_MODE", WriteMode.ActiveActive);
        var isOpen = settings.Choice("AUTHORIZATION", "jwt", "off") == "off";
        var verifies = !isOpen && !isLambda;
        var options = new ItemApiOptions(
            region,
            settings.Required("ITEMS_TABLE", "the name of the items table"),
            TimeSpan.FromMilliseconds(settings.Number("CALL_TIMEOUT_MS", 1500, 50, 10_000)),
            TimeSpan.FromMilliseconds(settings.Number("REQUEST_TIMEOUT_MS", 9000, 500, 29_000)),
            TimeSpan.FromMilliseconds(settings.Number("CLOCK_AHEAD_MAX_MS", 60_000, 1000, 3_600_000)),
            settings.List("REPLICA_REGIONS"),
            settings.List("OBSERVER_REGIONS"),
            mode == WriteMode.ActivePassive ? settings.Required("SERVICE_NAME", "the name whose register says which region writes") : settings.Optional("SERVICE_NAME"),
            settings.List("SERVICE_ENDPOINTS") is { Count: > 0 } endpoints ? endpoints.ToHashSet() : [region],
            settings.Optional("CONTROL_TABLE") ?? "Control",
            settings.Optional("CONTROL_REGION") ?? region,
            mode,
            TimeSpan.FromSeconds(settings.Number("WRITE_LEASE_SECONDS", 10, 2, 300)),
            settings.Choice("LEASE_PREFERENCE", LeasePreference.PreferData),
            isOpen,
            verifies ? settings.Required("JWT_ISSUER", "who issues the callers' tokens; or AUTHORIZATION=off lets everybody do everything") : null,
            verifies ? settings.Required("JWT_AUDIENCE", "the audience that a token must name") : null,
            verifies ? settings.Address("JWKS_URL") : null,
            settings.Optional("READ_SCOPE") ?? "items:read",
            settings.Optional("WRITE_SCOPE") ?? "items:write",
            isLambda ? "" : settings.Required("LISTEN", "where to listen: an address and a port, or unix: and a path"));
        if (options is { JwtIssuer: not null, JwksUrl: null })
        {
            // Its configuration says where its keys are.
            settings.Address("JWT_ISSUER");
        }

        settings.ThrowIfMistaken();
        return options;
    }
}
