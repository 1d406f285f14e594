using System.Text.Json;
using System.Text.Json.Serialization;

namespace Failover.LocalHost.Rollouts;

/// <summary>A rolling change of the interval.</summary>
/// <param name="IntervalSeconds">The new interval, as <c>--interval</c> takes it: 1 to 60 s.</param>
/// <param name="PauseSeconds">The time between two regions: 0 to 3600 s.</param>
internal sealed record RolloutRequest(int IntervalSeconds, int PauseSeconds)
{
    /// <summary>The shortest interval, in seconds.</summary>
    public const int IntervalSecondsMin = 1;

    /// <summary>The longest interval, in seconds.</summary>
    public const int IntervalSecondsMax = 60;

    private const int PauseSecondsMax = 3600;
    private const int PauseSecondsOtherwise = 5;

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
    };

    /// <summary>Reads it; the text says what is wrong otherwise.</summary>
    public static (RolloutRequest? Rollout, string? Mistake) Read(JsonElement json)
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

        if (wire?.IntervalSeconds is not { } interval)
        {
            return (null, "A rollout needs 'intervalSeconds'.");
        }

        if (interval is < IntervalSecondsMin or > IntervalSecondsMax)
        {
            return (null, $"intervalSeconds is {IntervalSecondsMin} to {IntervalSecondsMax}, not {interval}.");
        }

        var pause = wire.PauseSeconds ?? PauseSecondsOtherwise;
        return pause is < 0 or > PauseSecondsMax
            ? (null, $"pauseSeconds is 0 to {PauseSecondsMax}, not {pause}.")
            : (new RolloutRequest(interval, pause), null);
    }

    private sealed record Wire(int? IntervalSeconds, int? PauseSeconds);
}
