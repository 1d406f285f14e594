using Amazon.DynamoDBv2;
using Failover.ControlPlane;
using Failover.ControlPlane.Ballots;
using Failover.ControlPlane.Compares;

namespace Failover.HealthCheck.Probing;

/// <summary>Asks the journal of every replica's region what the audit says of its data: the same two questions each tick.</summary>
public sealed class DataJournals(IReadOnlyDictionary<string, IAmazonDynamoDB> replicas, string table, TimeSpan timeout)
{
    /// <summary>What each says; one that does not answer in time is missing.</summary>
    public async Task<IReadOnlyDictionary<string, DataBallot>> AskAsync(CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(replicas.Select(async replica => (replica.Key, Data: await AskAsync(replica.Value, cancellationToken))));
        return answers.Where(answer => answer.Data is not null).ToDictionary(answer => answer.Key, answer => answer.Data!);
    }

    private async Task<DataBallot?> AskAsync(IAmazonDynamoDB dynamoDb, CancellationToken cancellationToken)
    {
        try
        {
            var holds = new JournalStore(dynamoDb, table, timeout).HoldsAsync(cancellationToken);
            var newest = new CompareStore(dynamoDb, table, timeout).ReadNewestAsync(cancellationToken, BallotSize.ComparisonsMax);
            await Task.WhenAll(holds, newest);
            var comparisons = await newest;
            return new DataBallot(
                await holds,
                [
                    .. comparisons.Where(comparison => comparison.Outcome is CompareOutcome.Equal or CompareOutcome.Different)
                        .Select(comparison => new ComparedTables([.. comparison.Regions], comparison.CutOff, comparison.Outcome == CompareOutcome.Equal)),
                ]);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
