using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using Failover.ControlPlane.Topologies;

namespace Failover.ControlPlane.Registers;

/// <summary>
/// The record sets that a name shall have, exactly. Made once, by whoever takes the epoch; from then on it is applied as it is,
/// by anybody, whatever their own topology says.
/// </summary>
/// <param name="Id">8 hex digits over everything else: the proof that an applied plan is this one.</param>
/// <param name="Epoch">The number of the move.</param>
/// <param name="Endpoint">Which endpoint the sets belong to.</param>
/// <param name="Sets">The name's address sets.</param>
/// <param name="Txt">The state TXT set.</param>
public sealed record Plan(string Id, long Epoch, string Endpoint, IReadOnlyList<RecordSet> Sets, RecordSet Txt)
{
    /// <summary>Makes the plan that lets <paramref name="endpoint"/> serve.</summary>
    /// <param name="by">The observer that makes it.</param>
    /// <param name="why">A word: a diagnosis, or the kind of a command.</param>
    public static Plan For(Service service, ServiceEndpoint endpoint, long epoch, DateTimeOffset since, string by, string why) =>
        Of(service, endpoint.Name, SetsOf(service, endpoint), epoch, since, by, why);

    /// <summary>Makes the plan that keeps <paramref name="sets"/> as they are.</summary>
    public static Plan Of(Service service, string endpoint, IReadOnlyList<RecordSet> sets, long epoch, DateTimeOffset since, string by, string why)
    {
        var at = since.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var seed = string.Join('\n', [$"{epoch} {endpoint} {at} {by} {why}", .. sets.Select(set => set.ToString())]);
        var id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(seed)))[..8];
        var state = new StateTxt(epoch, endpoint, at, by, id, why);
        return new Plan(id, epoch, endpoint, sets, new RecordSet(service.StateName, "TXT", service.TtlSeconds, [state.Format()]));
    }

    /// <summary>The address sets that the name has while <paramref name="endpoint"/> serves it.</summary>
    public static IReadOnlyList<RecordSet> SetsOf(Service service, ServiceEndpoint endpoint) =>
        [.. endpoint.Records.Select(record => new RecordSet(service.Name, record.Type, record.Alias is null ? service.TtlSeconds : null, record.Values) { Alias = record.Alias })];

    /// <summary>When it was made, as its TXT says it; null where another version wrote that.</summary>
    [JsonIgnore]
    public DateTimeOffset? Since =>
        Txt.Values is [var text] && DateTimeOffset.TryParse(StateTxt.TryParse(text)?.Since, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var since) ? since : null;

    /// <summary>Who made it, as its TXT says it; null where another version wrote that.</summary>
    [JsonIgnore]
    public string? By => Txt.Values is [var text] ? StateTxt.TryParse(text)?.By : null;

    /// <summary>Whether servers alone cannot tell that it is in force, so that it is listed now and then.</summary>
    [JsonIgnore]
    public bool IsOpaque => Sets.Any(set => set.IsOpaque);
}
