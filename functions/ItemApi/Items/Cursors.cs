using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemApi.Answers;
using Failover.ItemRecord;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Failover.ItemApi.Items;

/// <summary>
/// Where a listing goes on: the key of its last item, sealed, so that a cursor that this API did not give is refused. The key of the seal is drawn by whoever lists first and lies in the items table, so that
/// it is the same for all processes and, once replicated, in all regions; it is nothing that one has to deploy. It guards against mistakes and curiosity: whoever can read the table needs no cursor.
/// </summary>
internal sealed class Cursors(IAmazonDynamoDB dynamoDb, string table, TimeSpan callTimeout, TimeProvider time)
{
    private const string RowId = "_cursor-key";
    private const string KeyAttribute = "key";
    private const int KeyBytes = 32;
    private const int SealBytes = 16;

    /// <summary>Two regions that draw a key at once agree on one later: then the other is read anew.</summary>
    private static readonly TimeSpan Believed = TimeSpan.FromMinutes(1);

    /// <summary>However many cursors are none of ours, the key is read no more often.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private SealKey? _key;

    /// <summary>The cursor after an item.</summary>
    public async Task<string> SealAsync(string id, CancellationToken cancellationToken)
    {
        var bytes = Encoding.UTF8.GetBytes(id);
        var key = await KeyAsync(Believed, cancellationToken);
        return Base64Url.EncodeToString([.. Seal(bytes, key), .. bytes]);
    }

    /// <summary>The key of the item after which a cursor goes on.</summary>
    /// <exception cref="ProblemException">It is none of ours.</exception>
    public async Task<string> OpenAsync(string cursor, CancellationToken cancellationToken)
    {
        if (Base64Url.IsValid(cursor) && Base64Url.DecodeFromChars(cursor) is { Length: > SealBytes } bytes
            && (IsSealed(bytes, await KeyAsync(Believed, cancellationToken)) || IsSealed(bytes, await KeyAsync(Pause, cancellationToken))))
        {
            return Encoding.UTF8.GetString(bytes.AsSpan(SealBytes));
        }

        throw new ProblemException(ProblemKind.InvalidCursor, ProblemKind.InvalidCursor.Meaning);
    }

    private async Task<byte[]> KeyAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        if (!(_key is { } known && time.GetElapsedTime(known.Timestamp) < age))
        {
            _key = known = new SealKey(time.GetTimestamp(), await ReadKeyAsync(cancellationToken));
        }

        return known.Bytes;
    }

    private static bool IsSealed(byte[] bytes, byte[] key) => CryptographicOperations.FixedTimeEquals(bytes.AsSpan(0, SealBytes), Seal(bytes.AsSpan(SealBytes), key));

    private static ReadOnlySpan<byte> Seal(ReadOnlySpan<byte> id, byte[] key) => HMACSHA256.HashData(key, id).AsSpan(0, SealBytes);

    private async Task<byte[]> ReadKeyAsync(CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(2 * callTimeout);
        var found = await dynamoDb.GetItemAsync(new GetItemRequest(table, new() { [ItemAttributes.Id] = new(RowId) }, consistentRead: true), deadline.Token);
        if (found.IsItemSet && found.Item.GetValueOrDefault(KeyAttribute)?.B is { } known)
        {
            return known.ToArray();
        }

        var drawn = RandomNumberGenerator.GetBytes(KeyBytes);
        try
        {
            await dynamoDb.PutItemAsync(
                new PutItemRequest(table, new() { [ItemAttributes.Id] = new(RowId), [KeyAttribute] = new() { B = new MemoryStream(drawn) } })
                {
                    ConditionExpression = "attribute_not_exists(#id)",
                    ExpressionAttributeNames = new() { ["#id"] = ItemAttributes.Id },
                    ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
                },
                deadline.Token);
            return drawn;
        }
        catch (ConditionalCheckFailedException other) when (other.Item?.GetValueOrDefault(KeyAttribute)?.B is { } first)
        {
            return first.ToArray();
        }
    }

    private sealed record SealKey(long Timestamp, byte[] Bytes);
}
