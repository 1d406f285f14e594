using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Operations;
using Failover.ItemRecord;
using System.Globalization;

namespace Failover.ItemApi.Writing;

/// <summary>Whether this process may write: always where all regions do, else by <see cref="WriteLease"/>.</summary>
/// <param name="registers">Null where all regions write.</param>
/// <param name="waits">A region that is entered waits until the one that is left has stopped.</param>
internal sealed class WriteRight(
    RegisterReader? registers, IAmazonDynamoDB dynamoDb, string table, string replica, TimeSpan lease, bool waits, TimeSpan callTimeout, TimeProvider time, ILogger logger)
{
    private const string EpochAttribute = "epoch";

    /// <summary>However many want to write where nobody may, the register is asked no more often.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a writer that has the right waits for it to be made longer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    /// <summary>It makes up to three calls.</summary>
    private readonly SharedRun _refresh = new(3 * callTimeout, time);
    private Moment? _pausedFrom;
    private WriteLease? _lease;
    private long _openedTold = -1;

    /// <summary>Whether there is the right to write, now. It is asked once more right before each write is sent: the process may have been stopped since it was taken.</summary>
    public bool Holds => registers is null || _lease?.Left(lease, registers.Now) > TimeSpan.Zero;

    /// <summary>Takes the right to write: the source is cancelled when it ends, and a write that is under way then has an outcome that nobody knows.</summary>
    /// <exception cref="ProblemException">There is no such right now.</exception>
    public async Task<CancellationTokenSource> TakeAsync(CancellationToken cancellationToken)
    {
        if (registers is null)
        {
            return CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        }

        // Half a lease before its end it is read anew, so that a read that fails takes no right away that still holds.
        // And as soon as it has waited long enough, so that the next process learns of it.
        if (_lease is not { } known || known.Left(lease, registers.Now) < lease / 2 || !known.IsOpen)
        {
            // Whoever still has the right does not wait for a register that hangs.
            var refresh = _refresh.Join(RefreshAsync);
            await (Holds ? Task.WhenAny(refresh, Task.Delay(Patience, time, cancellationToken)) : refresh.WaitAsync(cancellationToken));
            if (!Holds)
            {
                // The run that was joined may have been frozen with its process: then what it read is old. Where it was not, this one pauses.
                await _refresh.Join(RefreshAsync).WaitAsync(cancellationToken);
            }
        }

        var (held, now) = (_lease, registers.Now);
        if (held?.Left(lease, now) is { Ticks: > 0 } left)
        {
            var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            source.CancelAfter(left);
            return source;
        }

        throw new ProblemException(held switch
        {
            null => new Problem(ProblemKind.NotActive, "Nobody knows who may write: the register does not answer, or there is none yet. Nothing was written."),
            { Last: { IsMine: true } last } when now.AtMostSince(last.Sent) < lease => new Problem(ProblemKind.NotActive, "This region has just been made active, and waits until the one before has stopped. Nothing was written.")
            {
                Active = last.Endpoint,
                RetryAfterSeconds = (int)Math.Ceiling((lease - now.AtLeastSince(held.OpensFrom)).TotalSeconds),
            },
            { Last: { IsMine: true } last } => new Problem(ProblemKind.NotActive, "This region was active, and cannot learn whether it still is: the register does not answer. Nothing was written.") { Active = last.Endpoint },
            { Last: var last } => new Problem(ProblemKind.NotActive, $"{last.Endpoint} writes. Nothing was written.") { Active = last.Endpoint, RetryAfterSeconds = (int)Math.Ceiling(lease.TotalSeconds) },
        });
    }

    private async Task RefreshAsync(CancellationToken cancellationToken)
    {
        var start = registers!.Now;
        if (_pausedFrom is { } paused && start.AtMostSince(paused) < Pause)
        {
            return;
        }

        try
        {
            var reading = await registers.ReadAsync(cancellationToken);
            _lease = reading is null ? null : WriteLease.After(_lease, reading, isOpened: reading.IsMine && !waits);
            if (waits && reading is { IsMine: true })
            {
                await OpenAsync(_lease!, cancellationToken);
            }

            _pausedFrom = start;
        }
        catch (Exception error)
        {
            // The lease that there is holds on until its own end.
            Log.RegisterNotRead(logger, error);
            // From its end: a read that took long and failed is not begun again by each of those who waited. One that took twice its deadline was frozen, and has not failed.
            _pausedFrom = registers.Now is var end && end.AtMostSince(start) > 6 * callTimeout ? null : end;
        }
    }

    /// <summary>Opens the region to writes if it, or another process of its, has waited long enough, and lets the next process know.</summary>
    private async Task OpenAsync(WriteLease read, CancellationToken cancellationToken)
    {
        var epoch = read.Last.Epoch;
        if (!read.IsOpen && await IsOpenedAsync(epoch, cancellationToken))
        {
            _openedTold = epoch;
        }

        if (read.IsOpenAt(lease, registers!.Now) || _openedTold == epoch)
        {
            _lease = read with { IsOpen = true };
        }

        if (_lease!.IsOpen && _openedTold != epoch)
        {
            await TellOpenedAsync(epoch, cancellationToken);
        }
    }

    private async Task<bool> IsOpenedAsync(long epoch, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        var row = await dynamoDb.GetItemAsync(new GetItemRequest(table, Key(), consistentRead: true), deadline.Token);
        return row.IsItemSet && row.Item.GetValueOrDefault(EpochAttribute)?.N == Text(epoch);
    }

    /// <summary>If it fails, the next process waits once more: nothing worse.</summary>
    private async Task TellOpenedAsync(long epoch, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        try
        {
            var row = Key();
            row[EpochAttribute] = new AttributeValue { N = Text(epoch) };
            await dynamoDb.PutItemAsync(
                new PutItemRequest(table, row)
                {
                    ConditionExpression = "attribute_not_exists(#id) OR #epoch < :epoch",
                    ExpressionAttributeNames = new() { ["#id"] = ItemAttributes.Id, ["#epoch"] = EpochAttribute },
                    ExpressionAttributeValues = new() { [":epoch"] = new() { N = Text(epoch) } },
                },
                deadline.Token);
            _openedTold = epoch;
        }
        catch (ConditionalCheckFailedException)
        {
            _openedTold = epoch;
        }
    }

    private Dictionary<string, AttributeValue> Key() => new() { [ItemAttributes.Id] = new($"_open#{replica}#{registers!.Service}") };

    private static string Text(long epoch) => epoch.ToString(CultureInfo.InvariantCulture);
}
