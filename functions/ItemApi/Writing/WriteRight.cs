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

    private readonly SharedRun _refresh = new(3 * callTimeout, time);
    private long? _asked;
    private WriteLease? _lease;
    private long _openedTold = -1;

    /// <summary>Whether there is the right to write, now. It is asked once more right before each write is sent: the process may have been stopped since it was taken.</summary>
    public bool Holds => registers is null || _lease?.Left(lease, registers.Now) > TimeSpan.Zero;

    /// <summary>What is said where it has ended since it was taken.</summary>
    public static ProblemException Ended() => new(ProblemKind.NotActive, "The right to write ended before the write was sent. Nothing was written.");

    /// <exception cref="ProblemException">There is no right to write any more.</exception>
    public void ThrowIfEnded()
    {
        if (!Holds)
        {
            throw Ended();
        }
    }

    /// <summary>Takes the right to write: the source is cancelled when it ends, and a write that is under way then has an outcome that nobody knows.</summary>
    /// <exception cref="ProblemException">There is no such right now.</exception>
    public async Task<CancellationTokenSource> TakeAsync(CancellationToken cancellationToken)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (registers is null)
        {
            return source;
        }

        // Half a lease before its end it is read anew, so that a read that fails takes no right away that still holds.
        // And as soon as it has waited long enough, so that the next process learns of it.
        if (_lease is not { } known || known.Left(lease, registers.Now) < lease / 2 || !known.IsOpen)
        {
            // Whoever still has the right does not wait for a register that hangs.
            var refresh = _refresh.Join(token => RefreshAsync(registers, token));
            await (Holds ? Task.WhenAny(refresh, Task.Delay(Patience, time, cancellationToken)) : refresh.WaitAsync(cancellationToken));
        }

        var (held, now) = (_lease, registers.Now);
        if (held?.Left(lease, now) is { Ticks: > 0 } left)
        {
            source.CancelAfter(left);
            return source;
        }

        source.Dispose();
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

    private async Task RefreshAsync(RegisterReader reader, CancellationToken cancellationToken)
    {
        if (_asked is { } asked && time.GetElapsedTime(asked) < Pause)
        {
            return;
        }

        try
        {
            var before = _lease;
            if (await reader.ReadAsync(cancellationToken) is not { } reading)
            {
                _lease = null;
                return;
            }

            var isNew = before?.Last.Epoch != reading.Epoch;
            _lease = WriteLease.After(before, reading, reading.IsMine && (!waits || (isNew && await IsOpenedAsync(reading.Epoch, cancellationToken))));
            if (waits && reading.IsMine && _lease.IsOpenAt(lease, reader.Now) && _openedTold != reading.Epoch)
            {
                _lease = _lease with { IsOpen = true };
                await TellOpenedAsync(reading.Epoch, cancellationToken);
            }
        }
        catch (Exception error)
        {
            // The lease that there is holds on until its own end.
            Log.RegisterNotRead(logger, error);
        }
        finally
        {
            // From its end: a read that took long and failed is not begun again by each of those who waited.
            _asked = time.GetTimestamp();
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

    private Dictionary<string, AttributeValue> Key() => new() { [ItemAttributes.Id] = new("_open#" + replica) };

    private static string Text(long epoch) => epoch.ToString(CultureInfo.InvariantCulture);
}
