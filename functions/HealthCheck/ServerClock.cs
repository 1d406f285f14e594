using System.Globalization;
using Amazon.Runtime;

namespace Failover.HealthCheck;

/// <summary>
/// Compares this machine's clock with the <c>Date</c> that DynamoDB's answers carry. An observer whose clock is wrong writes ballots
/// whose age nobody can judge, so it has no vote.
/// </summary>
public sealed class ServerClock(TimeProvider time)
{
    /// <summary>How far off a clock may be; <c>Date</c> has whole seconds, which adds up to one.</summary>
    public static readonly TimeSpan SkewMax = TimeSpan.FromSeconds(3);

    private long _skewTicks;

    /// <summary>How far off the clock was at the last answer.</summary>
    public TimeSpan Skew => new(Interlocked.Read(ref _skewTicks));

    /// <summary>Whether the clock can be trusted. Without any answer there is nothing to vote with either.</summary>
    public bool IsTrusted => Skew.Duration() <= SkewMax;

    /// <summary>Listens to a client's answers.</summary>
    public void Watch(AmazonServiceClient client) => client.AfterResponseEvent += (_, args) =>
    {
        if (args is WebServiceResponseEventArgs response && response.ResponseHeaders.TryGetValue("Date", out var text)
            && DateTimeOffset.TryParseExact(text, "r", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date))
        {
            Interlocked.Exchange(ref _skewTicks, (time.GetUtcNow() - date - TimeSpan.FromMilliseconds(500)).Ticks);
        }
    };
}
