using Failover.ControlPlane;
using Failover.Hosting;
using Failover.ItemRecord;
using Microsoft.Extensions.Logging;

namespace Failover.ReplicationAudit.LostUpdates;

/// <summary>Writes what is found into the journal, and counts it when it was new there.</summary>
public sealed class Findings(JournalStore journal, Metrics metrics, string region, TimeProvider time, ILogger<Findings> logger)
{
    /// <summary>Judges one change.</summary>
    public async Task JudgeAsync(ItemChange change, CancellationToken cancellationToken)
    {
        if (LostUpdateRule.Judge(change, region) is { } loss)
        {
            await AddAsync(change, loss, cancellationToken);
        }

        if (LostUpdateRule.Revived(change, region) is { } revived)
        {
            await CloseAsync(change, revived, cancellationToken);
        }
    }

    private async Task AddAsync(ItemChange change, LostVersion loss, CancellationToken cancellationToken)
    {
        var finding = new Finding
        {
            Id = Finding.IdOf(loss.Kind, change.Id, loss.Loser.Text),
            Kind = loss.Kind,
            Region = region,
            Key = change.Id,
            At = change.At,
            Loser = Image(change.Old!),
            Winner = change.New is null ? null : Image(change.New),
            WinnerHadSeen = change.New?.Seen.Of(region)?.Text,
            Why = loss.Why,
        };
        if (await journal.AddFindingAsync(finding, cancellationToken))
        {
            Log.Found(logger, loss.Kind, finding.Loser.Version, finding.Winner?.Version);
            metrics.Emit([("Region", region)], new Metric(loss.Kind.ToString(), "Count", 1));
        }
    }

    private async Task CloseAsync(ItemChange change, ItemVersion kept, CancellationToken cancellationToken)
    {
        foreach (var kind in new[] { FindingKind.LostUpdate, FindingKind.Duplicate })
        {
            var id = Finding.IdOf(kind, change.Id, kept.Text);
            if (await journal.CloseFindingAsync(id, new FindingClosure("Kept", change.New!.Version?.Text ?? "", time.GetUtcNow()), cancellationToken))
            {
                Log.Closed(logger, id, "Kept");
            }
        }
    }

    private static ItemImage Image(ItemSnapshot item) => new(item.Version?.Text, DynamoDbJson.ToElement(item.Attributes));
}
