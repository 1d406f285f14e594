using System.Security.Cryptography;
using System.Text;

namespace Failover.ReplicationAudit.Arrivals;

/// <summary>A write of this region that a peer has not shown yet.</summary>
/// <param name="IsFound">Whether it has been told as missing.</param>
public sealed record PendingWrite(string Key, string Version, bool IsFound = false);

/// <summary>The writes of one stream batch that one peer has not shown yet, and when they are asked for again.</summary>
/// <param name="Id">See <see cref="Of"/>.</param>
/// <param name="Since">From when the deadline of its writes counts, where that is later than the writes themselves: the peer was stalled until then.</param>
/// <param name="Checks">How often it has been asked.</param>
public sealed record PendingBatch(string Peer, string Id, IReadOnlyList<PendingWrite> Writes, DateTimeOffset? Since, int Checks)
{
    /// <summary>
    /// A batch that has not been asked for yet. Its id comes from what is in it: the same batch delivered again is the same row, and one that begins alike and ends elsewhere is another.
    /// </summary>
    public static PendingBatch Of(string peer, IReadOnlyList<PendingWrite> writes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var write in writes)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{write.Version} {write.Key}\n"));
        }

        return new PendingBatch(peer, Convert.ToHexStringLower(hash.GetHashAndReset())[..32], writes, Since: null, Checks: 0);
    }
}

/// <summary>Says that it is time to look at a batch.</summary>
public sealed record PendingMessage(string Peer, string Id);
