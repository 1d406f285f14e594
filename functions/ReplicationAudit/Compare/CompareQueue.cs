using System.Text.Json;
using Amazon.SQS;
using Amazon.SQS.Model;
using Failover.ControlPlane;
using Failover.ControlPlane.Compares;
using Failover.ReplicationAudit.Arrivals;

namespace Failover.ReplicationAudit.Compare;

/// <summary>Asks for work on a unit, by a message to this function's own queue.</summary>
public sealed class CompareQueue(IAmazonSQS sqs, string queueUrl, TimeSpan callTimeout)
{
    /// <summary>Asks for it after a delay, or sooner: SQS delays no longer than 15 minutes, and whoever comes too early asks again.</summary>
    public async Task SendAsync(Comparison comparison, CompareUnit unit, TimeSpan delay, CancellationToken cancellationToken)
    {
        var seconds = Math.Clamp(Math.Ceiling(delay.TotalSeconds), 0, ArrivalLimits.DelayMax.TotalSeconds);
        var message = new AuditMessage { Compare = new CompareMessage(comparison.Home, comparison.Id, comparison.Phase, unit.Name, unit.Revision) };
        using var deadline = cancellationToken.Within(callTimeout);
        await sqs.SendMessageAsync(
            new SendMessageRequest(queueUrl, JsonSerializer.Serialize(message, JsonContext.Default.AuditMessage)) { DelaySeconds = (int)seconds }, deadline.Token);
    }
}
