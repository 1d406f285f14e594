using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Failover.ControlPlane;
using Failover.ItemApi.Access;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Routing;
using Failover.ItemRecord;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Failover.ItemApi.Items;

/// <summary>
/// The keys by which a client may repeat a create. What was created with a key is told by the item's own record (<see cref="CreateKey"/>), in any region that it has come to. That a key serves one
/// create only, whatever id that names, is told by a row beside the items, written before the create.
/// </summary>
internal sealed class IdempotencyKeys(IAmazonDynamoDB dynamoDb, string table, TimeProvider time, TimeSpan callTimeout)
{
    public const string Header = "Idempotency-Key";

    private const string RowPrefix = "_key#";
    private const string RequestAttribute = "request";
    private const int LengthMax = 255;
    private const int HashLength = 32;

    /// <summary>The key of a request, without the quotes that a structured header has; null where it has none.</summary>
    /// <exception cref="ProblemException">It is no key.</exception>
    public static string? Of(Request request)
    {
        if (request.Header(Header)?.Trim() is not { } text)
        {
            return null;
        }

        var key = text is ['"', .. var inner, '"'] ? inner : text;
        return key.Length is > 0 and <= LengthMax && !key.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? key
            : throw new ProblemException(ProblemKind.InvalidHeader, $"{Header} is 1 to {LengthMax} visible ASCII characters; a UUID is a good one.");
    }

    /// <summary>What tells this create from every other.</summary>
    /// <param name="body">The item as it is asked for, and all else that is asked.</param>
    public static CreateKey CreateOf(Caller caller, string key, string body) => new(Hash($"{caller.Subject}\n{key}"), Hash(body));

    /// <summary>The id of an item that is created with a key and without an id: the same wherever, and whenever, it is tried again.</summary>
    public static string IdOf(CreateKey create) => "key-" + create.Key;

    /// <summary>Binds the key to this create, or finds it bound to it.</summary>
    /// <exception cref="ProblemException">It is bound to another.</exception>
    public async Task BindAsync(CreateKey create, CancellationToken cancellationToken)
    {
        using var deadline = cancellationToken.Within(callTimeout);
        try
        {
            await dynamoDb.PutItemAsync(
                new PutItemRequest(
                    table,
                    new()
                    {
                        [ItemAttributes.Id] = new(RowPrefix + create.Key),
                        [RequestAttribute] = new(create.Request),
                        [ItemAttributes.TimeToLive] = new() { N = (time.GetUtcNow() + ItemStore.TombstoneLifetime).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture) },
                    })
                {
                    // Bound to the same, it is bound once more: so a retry, the SDK's own too, needs no second look.
                    ConditionExpression = "attribute_not_exists(#id) OR #request = :request",
                    ExpressionAttributeNames = new() { ["#id"] = ItemAttributes.Id, ["#request"] = RequestAttribute },
                    ExpressionAttributeValues = new() { [":request"] = new(create.Request) },
                },
                deadline.Token);
        }
        catch (ConditionalCheckFailedException)
        {
            throw new ProblemException(ProblemKind.KeyReused, ProblemKind.KeyReused.Meaning);
        }
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashLength];
}
