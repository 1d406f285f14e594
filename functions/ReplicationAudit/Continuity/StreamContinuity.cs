using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Continuity;

/// <summary>Follows this region's heartbeats along its stream, and tells where the stream was not read without a gap.</summary>
public sealed class StreamContinuity(WatchStore watch, Findings findings, string region)
{
    /// <summary>Takes the heartbeats of a batch, in its order. Doing it again changes nothing.</summary>
    public async Task FollowAsync(IReadOnlyList<ItemChange> heartbeats, CancellationToken cancellationToken)
    {
        if (heartbeats.Count == 0)
        {
            return;
        }

        var handled = new Dictionary<string, long>(await watch.ReadAsync(cancellationToken));
        foreach (var observer in heartbeats.GroupBy(change => HeartbeatRow.ObserverOf(change.Id, region)!))
        {
            var name = WatchStore.Handled(observer.Key);
            foreach (var change in observer)
            {
                if (HeartbeatRow.Read(change.New?.Attributes) is not { } next)
                {
                    continue;
                }

                if (HeartbeatChain.Gap(handled.TryGetValue(name, out var last) ? last : null, HeartbeatRow.Read(change.Old?.Attributes), next) is { } gap)
                {
                    await findings.AddGapAsync(
                        observer.Key, gap.From, gap.To, $"The stream was not read from {gap.From:u} to {gap.To:u}: its records were trimmed.", key: null, record: null, cancellationToken);
                }

                handled[name] = Math.Max(handled.GetValueOrDefault(name), next);
            }

            await watch.RememberAsync(name, handled[name], cancellationToken);
        }
    }
}
