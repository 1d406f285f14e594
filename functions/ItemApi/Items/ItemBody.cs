using System.IO.Pipelines;
using Amazon.DynamoDBv2.Model;
using Failover.ItemApi.Answers;
using Failover.ItemApi.Routing;
using Failover.ItemRecord;
using Microsoft.Net.Http.Headers;

namespace Failover.ItemApi.Items;

/// <summary>A client's JSON object, checked.</summary>
/// <param name="Id">The member 'id'; null where it is absent.</param>
/// <param name="Content">All other members.</param>
internal sealed record ItemBody(string? Id, Dictionary<string, AttributeValue> Content)
{
    /// <summary>The longest body that is read: an item of DynamoDB's largest size with every byte written as <c>\u00XX</c>, and some space.</summary>
    public const int BytesMax = (6 * ItemSize.BytesMax) + (64 * 1024);

    /// <summary>Reads a body.</summary>
    /// <param name="otherType">A media type that is taken beside application/json.</param>
    /// <exception cref="ProblemException">It has another type, is too large, or did not come in time.</exception>
    /// <exception cref="ItemFormatException">It is no object that DynamoDB can hold.</exception>
    public static async Task<ItemBody> ReadAsync(Request request, CancellationToken cancellationToken, string? otherType = null)
    {
        CheckType(request, otherType);
        if (request.Http.ContentLength is > BytesMax)
        {
            throw TooLarge();
        }

        using var buffer = new MemoryStream();
        var reader = request.Http.BodyReader;

        // A read that is cancelled by its token leaves Kestrel's reader as if it were still reading, and an error in its log.
        using var stop = cancellationToken.UnsafeRegister(static reader => ((PipeReader)reader!).CancelPendingRead(), reader);
        try
        {
            for (var isWhole = false; !isWhole;)
            {
                var read = await reader.ReadAsync(CancellationToken.None);
                isWhole = read.IsCompleted;
                foreach (var part in read.Buffer)
                {
                    buffer.Write(part.Span);
                }

                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCanceled)
                {
                    throw new OperationCanceledException(cancellationToken);
                }

                if (buffer.Length > BytesMax)
                {
                    throw TooLarge();
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or (IOException and not BadHttpRequestException))
        {
            // Time was up, or the client is gone: no failure of the data path.
            throw new ProblemException(ProblemKind.BodyTooSlow, ProblemKind.BodyTooSlow.Meaning);
        }

        var content = ItemParser.Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
        return !content.Remove(ItemAttributes.Id, out var id) ? new ItemBody(null, content)
            : id.S is { } text ? new ItemBody(text, content)
            : throw new ProblemException(new Problem(ProblemKind.InvalidId, "The member 'id' is not a string.") { Pointer = "/id" });
    }

    /// <summary>Checks that the body names no other item than the address.</summary>
    /// <exception cref="ProblemException">It does.</exception>
    public ItemBody For(string id) =>
        Id is null || Id == id ? this : throw new ProblemException(new Problem(ProblemKind.IdDiffers, ProblemKind.IdDiffers.Meaning) { Pointer = "/id" });

    private static void CheckType(Request request, string? otherType)
    {
        var isTaken = MediaTypeHeaderValue.TryParse(request.Header("Content-Type"), out var type)
            && (Is(type, "application/json") || Is(type, otherType))
            && type.Parameters.All(parameter => parameter.Name.Equals("charset", StringComparison.OrdinalIgnoreCase) && parameter.GetUnescapedValue().Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            && request.Header("Content-Encoding") is null or "" or "identity";
        if (!isTaken)
        {
            throw new ProblemException(ProblemKind.UnsupportedMediaType, ProblemKind.UnsupportedMediaType.Meaning);
        }
    }

    private static bool Is(MediaTypeHeaderValue type, string? name) => type.MediaType.Equals(name, StringComparison.OrdinalIgnoreCase);

    private static ProblemException TooLarge() => new(ProblemKind.BodyTooLarge, $"The body has more than {BytesMax} bytes.");
}
