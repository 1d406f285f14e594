using Amazon.DynamoDBv2;
using Failover.ControlPlane;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Microsoft.Extensions.Logging;

namespace Failover.HealthCheck;

/// <summary>Tells the journals of the two replicas that a move is about that it was published, so that the audit there counts what it cost: each tick, for either may be gone when it is.</summary>
public sealed class MoveJournal(IReadOnlyDictionary<string, IAmazonDynamoDB> replicas, string table, TimeSpan timeout, TimeProvider time, ILogger<MoveJournal> logger)
{
    /// <summary>Who has not heard of it by then is not waited for: what it cost is counted within days, or not at all.</summary>
    private static readonly TimeSpan ToldFor = TimeSpan.FromDays(7);

    /// <summary>Tells the last move of a service. What cannot be told now is told by a later tick, or another observer's.</summary>
    public async Task TellAsync(Service service, PublishedMove? last, CancellationToken cancellationToken)
    {
        if (last is null || time.GetUtcNow() - last.At > ToldFor || service.Endpoint(last.From) is not { Replica: var from } || service.Endpoint(last.To) is not { Replica: var to } || from == to)
        {
            return;
        }

        var move = new JournaledMove(service.Name, last.Epoch, new MoveEnd(last.From, from), new MoveEnd(last.To, to), last.At);
        await Task.WhenAll(new[] { from, to }.Select(async replica =>
        {
            try
            {
                await new MoveStore(replicas[replica], table, timeout).AddAsync(move, cancellationToken);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                Log.CallFailed(logger, $"Telling {replica} of the last move", error);
            }
        }));
    }
}
