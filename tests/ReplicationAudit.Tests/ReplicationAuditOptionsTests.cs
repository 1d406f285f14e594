using Failover.Hosting;

namespace Failover.ReplicationAudit.Tests;

public class ReplicationAuditOptionsTests
{
    [Theory]
    [InlineData("480", "180", "a,b", null)]
    [InlineData(null, null, "b, a", null)]
    [InlineData("180", "180", "a,b", "the first must be longer")]
    [InlineData("480", "180", "b,c", "'a', where this function runs, is none of them")]
    [InlineData("4", "180", "a,b", "MISSING_AFTER_SECONDS is '4'")]
    public void What_cannot_be_is_refused_with_the_reason(string? missingAfter, string? stalledAfter, string replicas, string? mistake)
    {
        var error = Record.Exception(() => ReplicationAuditOptions.Read(new Settings(name => name switch
        {
            "AWS_REGION" => "a",
            "REPLICA_REGIONS" => replicas,
            "MISSING_AFTER_SECONDS" => missingAfter,
            "STALLED_AFTER_SECONDS" => stalledAfter,
            "REDACTED_ATTRIBUTES" or "CALL_TIMEOUT_MS" => null,
            _ => "given",
        })));
        if (mistake is null)
        {
            Assert.Null(error);
        }
        else
        {
            Assert.Contains(mistake, Assert.IsType<InvalidOperationException>(error).Message, StringComparison.Ordinal);
        }
    }
}
