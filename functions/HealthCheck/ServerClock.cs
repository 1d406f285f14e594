using System.Globalization;
using Amazon.Runtime;

namespace Failover.HealthCheck;

/// <summary>
/// Compares this machine's clock with the <c>Date</c> that DynamoDB's answers carry. An observer whose clock is wrong writes ballots
/// whose age nobody can judge, so it has no vote.
/// </summary>
public sealed class ServerClock(TimeProvider time)
{
    private long _skewTicks;

    /// <summary>How far off the clock was at the last answer, to half a second: <c>Date</c> has whole ones. Without any answer there is nothing to vote with either.</summary>
    public TimeSpan Skew => new(Interlocked.Read(ref _skewTicks));

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
