using Failover.ItemRecord;

namespace Failover.ReplicationAudit.Arrivals;

/// <summary>What one reading of a replica shows.</summary>
/// <param name="Items">The keys that were asked for; one that is not in it, the replica does not have.</param>
/// <param name="Heartbeats">By region of origin, then by observer: the newest heartbeat that it shows.</param>
public sealed record ReplicaView(IReadOnlyDictionary<string, ItemSnapshot> Items, IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>> Heartbeats);

/// <summary>All replicas as the audit of one region reads them: items, with the heartbeats that tell how far replication is.</summary>
/// <param name="region">The region whose writes are audited.</param>
/// <param name="observers">Who writes heartbeats: a row each in every replica.</param>
public sealed class Replicas(string region, IReadOnlyList<string> observers, IReadOnlyDictionary<string, ReplicaReader> readers)
{
    private readonly IReadOnlyList<(string Origin, string Observer, string Id)> _heartbeats =
        [.. readers.Keys.SelectMany(origin => observers.Select(observer => (origin, observer, HeartbeatRow.IdOf(origin, observer))))];

    /// <summary>The region whose writes are audited.</summary>
    public string Region => region;

    /// <summary>The regions to which its writes replicate.</summary>
    public IReadOnlyList<string> Peers { get; } = [.. readers.Keys.Where(replica => replica != region).Order(StringComparer.Ordinal)];

    /// <summary>Reads items of a peer. An answer may be old, and show less than there is: then a write that has arrived is asked for once more.</summary>
    public Task<IReadOnlyDictionary<string, ItemSnapshot>> ReadItemsAsync(string peer, IEnumerable<string> keys, CancellationToken cancellationToken) =>
        readers[peer].ReadAsync(keys, consistent: false, cancellationToken);

    /// <summary>Reads items and heartbeats of a peer, as <see cref="ReadItemsAsync"/> does.</summary>
    public Task<ReplicaView> ReadPeerAsync(string peer, IEnumerable<string> keys, CancellationToken cancellationToken) => ReadAsync(readers[peer], keys, consistent: false, cancellationToken);

    /// <summary>Reads items and heartbeats of this region, strongly.</summary>
    public Task<ReplicaView> ReadHereAsync(IEnumerable<string> keys, CancellationToken cancellationToken) => ReadStronglyAsync(region, keys, cancellationToken);

    /// <summary>Reads items and heartbeats of any region, strongly.</summary>
    public Task<ReplicaView> ReadStronglyAsync(string replica, IEnumerable<string> keys, CancellationToken cancellationToken) => ReadAsync(readers[replica], keys, consistent: true, cancellationToken);

    private async Task<ReplicaView> ReadAsync(ReplicaReader reader, IEnumerable<string> keys, bool consistent, CancellationToken cancellationToken)
    {
        var items = await reader.ReadAsync(_heartbeats.Select(row => row.Id).Concat(keys), consistent, cancellationToken);
        var heartbeats = readers.Keys.ToDictionary(origin => origin, _ => new Dictionary<string, long>());
        foreach (var (origin, observer, id) in _heartbeats)
        {
            if (HeartbeatRow.Read(items.GetValueOrDefault(id)?.Attributes) is { } at)
            {
                heartbeats[origin][observer] = at;
            }
        }

        return new ReplicaView(items, heartbeats.ToDictionary(rows => rows.Key, rows => (IReadOnlyDictionary<string, long>)rows.Value));
    }
}
