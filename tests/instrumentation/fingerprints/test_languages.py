"""What services say in other languages than English."""

from __future__ import annotations

import pytest

from aftershock.fingerprints.answers import state_of
from aftershock.fingerprints.outcomes import outcome_of
from aftershock.model import AnswerState, Outcome


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("Die Buchung ist leider nicht möglich: kein gültiger Vertrag.", AnswerState.REFUSED),
        ("Der Auftrag wurde abgelehnt.", AnswerState.REFUSED),
        ("No se puede reservar: el paciente no tiene volante.", AnswerState.REFUSED),
        ("Votre demande a été refusée.", AnswerState.REFUSED),
        ("Non è possibile annullare l'ordine.", AnswerState.REFUSED),
        ("Não foi possível emitir a nota.", AnswerState.REFUSED),
        ("Ihr Export wird gerade erstellt", AnswerState.PENDING),
        ('{"estado": "en proceso"}', AnswerState.PENDING),
        ("Commande en attente", AnswerState.PENDING),
        ("Pagamento in elaborazione", AnswerState.PENDING),
        ("Pedido em andamento", AnswerState.PENDING),
        ("Wartet auf Freigabe durch die Leitung", AnswerState.WAITS_FOR_PERSON),
        ("en attente d'approbation", AnswerState.WAITS_FOR_PERSON),
        ("Es wurden keine Änderungen gespeichert", AnswerState.UNCHANGED),
        ("El registro ya existe", AnswerState.UNCHANGED),
        ("Il documento è invariato", AnswerState.UNCHANGED),
        ("estado: fallido, pedido 7", AnswerState.ENDED_WRONG),
        ("Vorgang: 7\nStatus: fehlgeschlagen", AnswerState.ENDED_WRONG),
    ],
)
def test_the_state_of_a_thing_is_read_in_its_language(answer: str, state: AnswerState) -> None:
    assert state_of(answer) is state


@pytest.mark.parametrize(
    "answer",
    [
        "Termin am 10. März um 9:30 gebucht.",
        "Cita reservada para el 10 de marzo.",
        "Réservation confirmée pour le 10 mars.",
        "Prenotazione confermata, sala 4.",
        "Pedido enviado com sucesso.",
        "The core of the process runs in corridor 4.",
    ],
)
def test_what_went_well_in_any_language_has_no_such_state(answer: str) -> None:
    assert state_of(answer) not in {
        AnswerState.REFUSED,
        AnswerState.UNCHANGED,
        AnswerState.WAITS_FOR_PERSON,
    }
    assert outcome_of(answer, None) is Outcome.OK


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("Fehler: Konto gesperrt", Outcome.FAILED),
        ("Fehler beim Lesen der Datei", Outcome.FAILED),
        ("Error al conectar con el servidor", Outcome.FAILED),
        ("Erreur lors de la connexion", Outcome.FAILED),
        ("Errore durante la lettura", Outcome.FAILED),
        ("Erro ao gravar o arquivo", Outcome.FAILED),
        ("Die Übertragung ist fehlgeschlagen", Outcome.FAILED),
        ("Zugriff verweigert", Outcome.FAILED),
        ("Keine Treffer für 'Pumpe'", Outcome.EMPTY),
        ("No se han encontrado resultados.", Outcome.EMPTY),
        ("Aucun résultat trouvé", Outcome.EMPTY),
        ("Nessun risultato per questa ricerca", Outcome.EMPTY),
        ("Nenhum registro encontrado", Outcome.EMPTY),
        ("Keine Frage: die Daten sind vollständig und geprüft", Outcome.OK),
    ],
)
def test_failures_and_empty_answers_are_read_in_their_language(
    answer: str, outcome: Outcome
) -> None:
    assert outcome_of(answer, None) is outcome


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("- row 'orders.csv  Being prepared…'", AnswerState.PENDING),
        ("Generating report", AnswerState.PENDING),
        ("Connecting to host b...", AnswerState.PENDING),
        ("Compiling a...\nLinking b...\nwrote b.so", None),
        ("Nothing else…", None),
    ],
)
def test_what_is_being_done_is_pending(answer: str, state: AnswerState | None) -> None:
    assert state_of(answer) is state


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("任务排队中", AnswerState.PENDING),
        ("ジョブは処理中です", AnswerState.PENDING),
        ("작업이 대기 중입니다", AnswerState.PENDING),
        ("Заявка в обработке", AnswerState.PENDING),
        ("De aanvraag is in behandeling", AnswerState.PENDING),
        ("İşlem devam ediyor", AnswerState.PENDING),
        ("Ärendet pågår", AnswerState.PENDING),
        ("请求被拒绝", AnswerState.REFUSED),
        ("アクセスは拒否されました", AnswerState.REFUSED),
        ("Wniosek został odrzucony", AnswerState.REFUSED),
        ("変更はありません", AnswerState.UNCHANGED),
        ("De instelling is ongewijzigd", AnswerState.UNCHANGED),
        ("订单已完成", None),
        ("注文が完了しました", None),
        ("주문이 완료되었습니다", None),
        ("Заказ выполнен", None),
        ("Bestelling verzonden", None),
        ("Zamówienie wysłane", None),
    ],
)
def test_the_state_of_a_thing_is_read_in_other_scripts(
    answer: str, state: AnswerState | None
) -> None:
    assert state_of(answer) is state


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("错误：磁盘已满", Outcome.FAILED),
        ("Ошибка: нет доступа", Outcome.FAILED),
        ("De upload is mislukt", Outcome.FAILED),
        ('{"erro": "grupo sem membros", "id": null}', Outcome.FAILED),
        ('{"fehler": null, "id": 7}', Outcome.OK),
        ('{"エラー": 0, "件数": 12}', Outcome.OK),
        ('{"成功": 12, "失败": 0}', Outcome.OK),
        ("成功 12, 失败 0", Outcome.OK),
        ("失败率 0.1%", Outcome.OK),
        ("没有失败", Outcome.OK),
        ('{"오류": "없음", "건수": 4}', Outcome.OK),
        ('{"fehler": "keine"}', Outcome.OK),
        ("部署失败: 磁盘已满", Outcome.FAILED),
        ("インポートに失敗しました。", Outcome.FAILED),
        ("没有找到记录", Outcome.EMPTY),
        ("Ничего не найдено", Outcome.EMPTY),
        ("Geen resultaten", Outcome.EMPTY),
        ("没有问题，全部完成", Outcome.OK),
        ("Geen probleem, alles is klaar", Outcome.OK),
    ],
)
def test_failures_and_empty_answers_are_read_in_other_scripts(
    answer: str, outcome: Outcome
) -> None:
    assert outcome_of(answer, None) is outcome
